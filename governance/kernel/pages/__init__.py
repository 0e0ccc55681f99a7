"""The common parts of pages: lists and their files, records, steps, undo, bulk actions."""
