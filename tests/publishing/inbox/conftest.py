"""The overview's tenant, seen through the inbox."""

from tests.publishing.overview.conftest import neighbours, rich, same_day

__all__ = ["neighbours", "rich", "same_day"]
