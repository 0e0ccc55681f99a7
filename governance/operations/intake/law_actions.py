"""Confirm that classes from an earlier version of the law apply under today's."""

from collections.abc import Collection
from uuid import UUID

from governance.kernel.errors import DomainError
from governance.kernel.safety.access import require
from governance.operations.intake import law, law_queries, permissions
from governance.operations.systems import law_confirmation
from governance.operations.systems import queries as systems


def confirm(ids: Collection[UUID]) -> None:
    """Confirm the classes of these systems, all or none.

    Raises DomainError for a system that needs a new classification.
    """
    require(permissions.REVIEW)
    found = systems.find_systems(ids, lock=True)
    changes = law_queries.changes_of(found)
    for each in found:
        if (why := changes[each.id].why_not_confirmed) is not None:
            raise DomainError(f"{each.name} can't be confirmed. {why}")
        before = law.kept_version(each.law_version)
        law_confirmation.confirm(each, before=before, after=law.current_version())
