"""Confirm that a record is still valid after a substantial change made it outdated.

The next substantial change makes it outdated again.
"""

from uuid import UUID

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.safety.access import require
from governance.operations.systems import parts
from governance.operations.systems.models import AISystem

CONFIRMED = action(
    "system.record.confirmed",
    "confirmed that a record is still valid after a substantial change",
    target="AISystem",
    activity="update",
    severity="medium",
    fields="key name",
    shape="ok",
)


def confirm(system: AISystem, record_id: str, *, reason: str) -> None:
    """Confirm one of the outdated records of a system. The caller has locked the system's row."""
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    found = next((each for each in parts.outdated_of(system) if each.id == record_id), None)
    if found is None:
        raise DomainError("This record isn't outdated any more. Someone renewed or confirmed it.")
    require(found.kind.confirming)
    if found.kind.confirm is not None:
        found.kind.confirm(UUID(found.id), reason.strip())
    system.still_valid = sorted({*system.still_valid, found.id})
    record(CONFIRMED, system, reason=reason.strip(), key=system.key, name=found.name)
