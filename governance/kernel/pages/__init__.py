"""What pages have in common: lists and their files, records, steps, undo, bulk actions."""
