"""A tenant leaves: everything of it is deleted, and a signed certificate says so."""
