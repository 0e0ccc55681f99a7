"""Imports of the operator's files: read, previewed, then applied as a whole or not at all."""
