"""Maintainers' scripts; none of them is shipped."""
