"""The nightly job that removes import files that are no longer needed."""

from governance.economics.imports import actions
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each


def remove_files() -> None:
    """Remove files that were never applied, and orphans that a killed process left."""
    once_a_day_in_each("remove import files", _remove)


def _remove() -> None:
    actions.remove_old_files()
    actions.remove_orphans()
