"""Stored, sent and received files: encrypted storage, spreadsheets, the sandbox of their readers."""
