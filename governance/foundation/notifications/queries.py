"""Reads of the acting person's own notifications."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from governance.foundation.notifications.models import Notification
from governance.foundation.people.queries import names
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import keyset

PAGE_SIZE = 50
SYSTEM = "Meridian"


@dataclass(frozen=True, slots=True)
class ShownNotification:
    """A notification as its person reads it: "Ana Ruiz mentioned you in" and the title."""

    id: UUID
    who: str
    says: str
    title: str
    at: datetime
    is_read: bool


def own_notifications(
    *, unread: bool = False, after: str | None = None
) -> tuple[list[ShownNotification], str | None]:
    """Return a page of them, newest first, and the cursor of the next page; two statements."""
    n = Notification
    query = select(n).where(n.person_id == current.person_id())
    if unread:
        query = query.where(n.read_at.is_(None))
    found = keyset(query, n.created_at, n.id, after=after, size=PAGE_SIZE, descending=True)
    known = names(row.caused_by for row in found.rows)
    return [
        ShownNotification(
            row.id,
            causer(row, known),
            row.says,
            row.title,
            row.created_at,
            row.read_at is not None,
        )
        for row in found.rows
    ], found.next


def causer(row: Notification, known: dict[UUID, str]) -> str:
    return known.get(row.caused_by, "A former member") if row.caused_by else SYSTEM


def own_notification(notification_id: UUID) -> Notification:
    """Return it, locked. Raises NotFound if it belongs to another person."""
    n = Notification
    query = select(n).where(n.id == notification_id, n.person_id == current.person_id())
    found = session().scalars(query.with_for_update()).one_or_none()
    if found is None:
        raise NotFound("This notification doesn't exist. Notifications are kept for 90 days.")
    return found


def own_unread_ids() -> Sequence[UUID]:
    n = Notification
    query = select(n.id).where(n.person_id == current.person_id(), n.read_at.is_(None))
    return session().scalars(query).all()
