"""The nightly job of imports: files that are no longer needed."""

from governance.economics.imports import actions
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each


def remove_files() -> None:
    """Remove the files of imports that were never applied, and what a killed process left."""
    once_a_day_in_each("remove import files", _remove)


def _remove() -> None:
    actions.remove_old_files()
    actions.remove_orphans()
