"""Notify people, and keep what they read.

    notify(…)            subscribers of events call it, in the transaction of the event
    mark_read, mark_unread, mark_all_read
    delete_old()         nightly

How many are unread is a number of the membership, which each request reads anyway: it changes in
the same transaction as the notifications, by differences, so two transactions at once both count.
Neither a notification nor reading it has an entry in the audit log: the event has one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from governance.foundation.notifications import kinds, queries
from governance.foundation.notifications.models import Notification
from governance.foundation.people.aliases import sender_name
from governance.foundation.people.models import Membership
from governance.foundation.people.preferences import Preferences
from governance.kernel import clock, current
from governance.kernel.config import public_address
from governance.kernel.data.db import session
from governance.kernel.data.ids import uuid7
from governance.kernel.work import outbox

KEPT_FOR = timedelta(days=90)
# A notification that follows a mail within this time goes to the digest.
MAIL_PAUSE = timedelta(minutes=10)
MAX_KEPT = 2000  # Per person.
PROFILE = "settings/profile"


@dataclass(frozen=True, slots=True)
class Happening:
    """The content of a notification: its kind, its source, and its words.

    `path` is below the tenant's address.
    """

    kind: str
    source_id: UUID
    says: str
    title: str
    path: str


def notify(people: Collection[UUID], what: Happening) -> None:
    """Notify members of what happened, each once and by the channel of their choice.

    The acting person isn't notified of what they do themselves.
    """
    wanted = set(people) - {current.actor().person_id}
    if not wanted:
        return
    m = Membership
    query = (
        select(m)
        .where(m.person_id.in_(wanted), m.ended_at.is_(None))
        .order_by(m.id)
        .with_for_update(of=m)
    )
    for member in session().scalars(query).all():
        channel = kinds.channel_of(what.kind, Preferences.of(member.preferences).channels)
        if channel != kinds.OFF:
            _notify(member, what, channel)


def _notify(member: Membership, what: Happening, channel: str) -> None:
    now = clock.now()
    at_once = (
        channel == kinds.EMAIL and bool(member.person.email) and not _mailed_lately(member, what)
    )
    values = {
        "id": uuid7(),
        "tenant_id": member.tenant_id,
        "created_at": now,
        "person_id": member.person_id,
        "kind": what.kind,
        "source_id": what.source_id,
        "caused_by": current.actor().person_id,
        "says": what.says,
        "title": what.title,
        "path": what.path,
        "awaits_mail": channel in {kinds.DIGEST, kinds.EMAIL} and not at_once,
        "mailed_at": now if at_once else None,
        "read_at": None,
    }
    once = insert(Notification).values(values).on_conflict_do_nothing().returning(Notification.id)
    if session().execute(once).first() is None:
        return  # Everyone has been notified before.
    _count(member.person_id, 1)
    if at_once:
        _send(member, what)


def _mailed_lately(member: Membership, what: Happening) -> bool:
    n = Notification
    query = select(n.id).where(
        n.person_id == member.person_id,
        n.kind == what.kind,
        n.mailed_at > clock.now() - MAIL_PAUSE,
    )
    return session().scalar(query.limit(1)) is not None


def _send(member: Membership, what: Happening) -> None:
    """Send a mail with the title and a link; the text that was written stays in Meridian."""
    sentence = f"{sender_name(member)} {what.says} {what.title}"
    body = (
        f"{sentence}.\n\nOpen it: {link_to(what.path)}\n\n"
        f"Choose how you are notified: {link_to(PROFILE)}\n"
    )
    outbox.send_mail(member.person.email, sentence, body)


def link_to(path: str) -> str:
    return f"{public_address()}/t/{current.actor().tenant_slug}/{path}"


def _count(person_id: UUID, change: int) -> None:
    """Change the number of unread ones."""
    m = Membership
    session().execute(
        update(m)
        .where(m.person_id == person_id)
        .values(unread_notifications=func.greatest(m.unread_notifications + change, 0))
        .execution_options(synchronize_session=False)
    )


# ---- reading


def mark_read(row: Notification) -> None:
    if row.read_at is None:
        row.read_at, row.awaits_mail = clock.now(), False
        _count(row.person_id, -1)


def mark_unread(row: Notification) -> None:
    if row.read_at is not None:
        row.read_at = None
        _count(row.person_id, 1)


def mark_all_read() -> int:
    """Mark all of the acting person's as read; return how many were unread."""
    n = Notification
    read = (
        update(n)
        .where(n.person_id == current.person_id(), n.read_at.is_(None))
        .values(read_at=clock.now(), awaits_mail=False)
        .returning(n.id)
        .execution_options(synchronize_session=False)
    )
    count = len(session().execute(read).all())
    if count:
        _count(current.person_id(), -count)
    return count


def delete_old() -> None:
    """Delete notifications older than 90 days, and count the unread ones again. Runs nightly."""
    n, m = Notification, Membership
    session().execute(delete(n).where(n.created_at < clock.now() - KEPT_FOR))
    place = (
        func.row_number()
        .over(partition_by=n.person_id, order_by=(n.created_at.desc(), n.id.desc()))
        .label("place")
    )
    ranked = select(n.id, place).subquery()
    too_many = select(ranked.c.id).where(ranked.c.place > MAX_KEPT)
    session().execute(delete(n).where(n.id.in_(too_many)))
    people = select(m).where(m.ended_at.is_(None)).order_by(m.id).with_for_update(of=m)
    members = session().scalars(people).all()
    unread: Mapping[UUID, int] = {
        row.person_id: row.unread
        for row in session().execute(
            select(n.person_id, func.count().label("unread"))
            .where(n.read_at.is_(None))
            .group_by(n.person_id)
        )
    }
    for member in members:
        member.unread_notifications = unread.get(member.person_id, 0)


__all__ = [
    "Happening",
    "delete_old",
    "link_to",
    "mark_all_read",
    "mark_read",
    "mark_unread",
    "notify",
    "queries",
]
