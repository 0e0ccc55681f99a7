"""The digest: one mail a day with what a person was not mailed yet.

It is sent at the hour of their choice in their time zone.

Each notification is in one digest: what is mailed is marked in the transaction that queues the
mail, and two runs at once take turns. A run that was missed is made up by the next one.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from cryptography.exceptions import InvalidTag
from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.notifications import kinds
from governance.foundation.notifications.actions import PROFILE, link_to
from governance.foundation.notifications.models import Notification
from governance.foundation.notifications.queries import causer
from governance.foundation.people.aliases import read_by
from governance.foundation.people.models import Membership
from governance.foundation.people.preferences import Preferences
from governance.foundation.people.queries import names
from governance.foundation.tenants import queries as tenants
from governance.kernel import clock, current
from governance.kernel.config import public_address
from governance.kernel.data.db import session
from governance.kernel.formatting import plural
from governance.kernel.safety import key_encryption
from governance.kernel.work import outbox

MAX_LISTED = 50
UNSUBSCRIBED = action(
    "digest.unsubscribed",
    "unsubscribed from the daily digest",
    target="Membership",
    activity="update",
    severity="informational",
)
TOKEN = re.compile(r"(?P<tenant>[a-z][a-z0-9-]{1,40})~(?P<sealed>[A-Za-z0-9_-]{40,200})")


def send_digests() -> int:
    """Send the digests of the acting tenant that are due; return how many."""
    n, m = Notification, Membership
    waiting = select(n.person_id).where(n.awaits_mail).distinct()
    members = (
        session()
        .scalars(select(m).where(m.person_id.in_(waiting), m.ended_at.is_(None)).order_by(m.id))
        .all()
    )
    if not members:
        return 0
    tenant = tenants.tenant_by_id(current.actor().tenant_id)
    zone = tenant.time_zone if tenant else "UTC"
    return sum(_send(member, zone) for member in members)


def _send(member: Membership, tenants_zone: str) -> bool:
    own, n = Preferences.of(member.preferences), Notification
    until = last_digest_time(own.digest_hour, ZoneInfo(own.time_zone or tenants_zone), clock.now())
    query = (
        select(n)
        .where(n.person_id == member.person_id, n.awaits_mail, n.created_at < until)
        .order_by(n.created_at.desc(), n.id.desc())
        .with_for_update()
    )
    rows = session().scalars(query).all()
    wanted = [
        row
        for row in rows
        if kinds.channel_of(row.kind, own.channels) in {kinds.DIGEST, kinds.EMAIL}
    ]
    for row in rows:
        row.awaits_mail = False
    if not wanted or not own.digest or not member.person.email:
        return False
    for row in wanted:
        row.mailed_at = clock.now()
    _mail(member, wanted)
    return True


def last_digest_time(hour: int, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the newest moment at which a digest of that hour was due."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), time(hour), zone)
    return (
        today
        if today <= now
        else datetime.combine(local.date() - timedelta(days=1), time(hour), zone)
    )


def _mail(member: Membership, rows: Sequence[Notification]) -> None:
    """Queue a mail with titles and links; the texts that were written stay in Meridian."""
    with read_by(member):
        known = names(row.caused_by for row in rows)
    lines = [
        f"{causer(row, known)} {row.says} {row.title}\n{link_to(row.path)}"
        for row in rows[:MAX_LISTED]
    ]
    if len(rows) > MAX_LISTED:
        lines.append(f"And {len(rows) - MAX_LISTED} more:\n{link_to('notifications/')}")
    subject = f"{plural(len(rows), 'notification')} in {current.actor().tenant_name}"
    unsubscribe = unsubscribe_address(member)
    outbox.send_mail(
        member.person.email,
        subject,
        "\n\n".join([f"{subject}:", *lines])
        + f"\n\nChoose how you are notified: {link_to(PROFILE)}"
        + f"\nUnsubscribe from this digest: {unsubscribe}\n",
        unsubscribe=unsubscribe,
    )


# ---- unsubscribing without signing in


def unsubscribe_address(member: Membership) -> str:
    """Return the address, which names the tenant. Its membership is encrypted.

    The key is the installation's.
    """
    sealed = key_encryption.wrap(member.id.bytes, _context(member.tenant_id))
    token = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
    return f"{public_address()}/digest/unsubscribe/{current.actor().tenant_slug}~{token}"


def _context(tenant_id: UUID) -> bytes:
    return b"unsubscribe from the digest\0" + tenant_id.bytes


def tenant_of(token: str) -> str | None:
    """Return the slug of the tenant that a token names; None for anything else."""
    found = TOKEN.fullmatch(token)
    return found["tenant"] if found else None


def member_of(token: str, *, lock: bool) -> Membership | None:
    """Return the acting tenant's member whose digest the token stops; None for a wrong one."""
    found = TOKEN.fullmatch(token)
    if found is None:
        return None
    sealed = found["sealed"]
    try:
        raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        member_id = UUID(bytes=key_encryption.unwrap(raw, _context(current.actor().tenant_id)))
    except (InvalidTag, ValueError):
        return None
    query = select(Membership).where(Membership.id == member_id, Membership.ended_at.is_(None))
    locked = query.with_for_update(of=Membership)
    return session().scalars(locked if lock else query).one_or_none()


def unsubscribe(member: Membership) -> None:
    """Stop the digest of this member; a second click changes nothing."""
    own = Preferences.of(member.preferences)
    if own.digest:
        member.preferences = replace(own, digest=False).stored()
        record(UNSUBSCRIBED, member)
