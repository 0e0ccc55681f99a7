"""Maintainers' scripts, none of which are shipped."""
