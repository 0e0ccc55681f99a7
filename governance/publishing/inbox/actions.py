"""Actions that snooze items of one's own inbox, and return them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.publishing.inbox.models import InboxSnooze
from governance.publishing.inbox.queries import InboxItem
from governance.publishing.inbox.snoozing import why_not

SNOOZED = action(
    "inbox.item.snoozed",
    "snoozed an inbox item",
    target="InboxSnooze",
    activity="create",
    severity="informational",
    fields="source item until",
)
RETURNED = action(
    "inbox.item.returned",
    "returned a snoozed item to the inbox",
    target="InboxSnooze",
    activity="delete",
    severity="informational",
    fields="source item",
)


def snooze(items: Sequence[InboxItem], until: datetime | None) -> None:
    """Snooze all of the items or none, until a time, or with None until each changes."""
    now = clock.now()
    for item in items:
        if (why := why_not(item.row.due, until, now)) is not None:
            raise Invalid(f"{item.title}: {why[0].lower()}{why[1:]}", field="choice")
    for item in items:
        row = item.row
        snoozed = _snooze_of(item) or InboxSnooze(
            person_id=current.person_id(), source=row.source, target_id=row.id, created_at=now
        )
        snoozed.until, snoozed.item_since, snoozed.item_due = until, row.since, row.due
        session().add(snoozed)
        record(
            SNOOZED,
            snoozed,
            source=row.source,
            item=str(row.id),
            until=until.isoformat() if until else "change",
        )


def return_items(items: Sequence[InboxItem]) -> int:
    """Return snoozed items to the inbox. Return how many of them were snoozed."""
    snoozed = [found for item in items if (found := _snooze_of(item)) is not None]
    for each in snoozed:
        record(RETURNED, each, source=each.source, item=str(each.target_id))
        session().delete(each)
    return len(snoozed)


def _snooze_of(item: InboxItem) -> InboxSnooze | None:
    s = InboxSnooze
    query = select(s).where(
        s.person_id == current.person_id(), s.source == item.row.source, s.target_id == item.row.id
    )
    return session().scalars(query.with_for_update()).one_or_none()
