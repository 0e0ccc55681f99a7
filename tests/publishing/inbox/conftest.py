"""The tenant of the overview's tests, used for the inbox."""

from tests.publishing.overview.conftest import fixed_day, placeholder_pages, year_of_work

__all__ = ["placeholder_pages", "year_of_work", "fixed_day"]
