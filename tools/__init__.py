"""Maintainers' scripts. None of them are shipped."""
