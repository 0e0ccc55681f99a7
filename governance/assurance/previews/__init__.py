"""Previews of evidence files: parts rendered in a sandbox, never the bytes of the file itself."""
