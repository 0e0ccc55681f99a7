"""Proposed changes to sign-in, with their approvals. Read only."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.identity_providers.models import ConnectionChange
from governance.foundation.people import queries as people
from governance.foundation.people.models import Connection
from governance.foundation.tenants import queries as tenants
from governance.kernel import current
from governance.kernel.data.db import find, session

IDENTITY_CHANGE = "identity_change"  # The kind of its approval.


def change(connection_change_id: UUID, *, lock: bool = False) -> ConnectionChange:
    return find(ConnectionChange, connection_change_id, what="change to sign-in", lock=lock)


def open_change() -> tuple[ConnectionChange, Approval] | None:
    """Return the proposed change that can still be tested or decided; an expired one isn't open."""
    found = (
        session()
        .scalars(select(ConnectionChange).where(ConnectionChange.state == "requested"))
        .one_or_none()
    )
    approval = approvals.open_approval(IDENTITY_CHANGE, found.id) if found else None
    return (found, approval) if found and approval and approvals.is_open(approval) else None


def unfinished_change() -> ConnectionChange | None:
    """Return the proposed change, including one that has expired but wasn't closed yet."""
    return (
        session()
        .scalars(select(ConnectionChange).where(ConnectionChange.state == "requested"))
        .one_or_none()
    )


def newest_changes(*, limit: int) -> Sequence[tuple[ConnectionChange, Approval]]:
    """Return the newest changes first, each with its approval."""
    rows = (
        session()
        .scalars(select(ConnectionChange).order_by(ConnectionChange.created_at.desc()).limit(limit))
        .all()
    )
    requests = approvals.latest(IDENTITY_CHANGE, [each.id for each in rows])
    return [(each, requests[each.id]) for each in rows if each.id in requests]


def proposed_connection(change: ConnectionChange) -> Connection | None:
    """Return the proposed connection; None when only the work domains change."""
    return people.connection_row(change.connection_id)


def domains() -> list[str]:
    """Return the current work domains of the tenant."""
    return sorted(tenants.domains_of(current.actor().tenant_id))
