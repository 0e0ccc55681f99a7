"""Previews of evidence files: what a file shows, rendered by a child process, never the file itself."""
