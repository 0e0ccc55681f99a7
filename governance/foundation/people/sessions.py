"""Server-side sessions: the browser has a random token, the database its hash.

Roles are read each time.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text

from governance.foundation.people.models import Membership, Person, Session
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import SUSPENDED_STATES
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.compiled_select import CompiledSelect
from governance.kernel.data.db import session, transaction

IDLE_TIMEOUT = timedelta(hours=1)
MAX_SESSION_LIFETIME = timedelta(hours=12)
SEEN_INTERVAL = timedelta(minutes=1)
MAX_COOKIE_LENGTH = 200


# Every request runs it.
_HOLDER: CompiledSelect[Any] = CompiledSelect(
    lambda: (
        select(
            Session.id,
            Session.authenticated_at,
            Person.id.label("person_id"),
            Person.name,
            Person.email,
            Membership.role,
            Membership.tenant_id,
            Membership.preferences,
            Membership.unread_notifications,
            Tenant.slug,
            Tenant.name.label("tenant_name"),
            Tenant.time_zone,
            Tenant.status,
        )
        .join(Person, Person.id == Session.person_id)
        .join(Membership, (Membership.person_id == Person.id) & Membership.ended_at.is_(None))
        .join(Tenant, Tenant.id == Membership.tenant_id)
        .where(
            Session.token_hash == bindparam("hash"),
            Session.ended_at.is_(None),
            Session.expires_at > bindparam("now"),
            Session.seen_at > bindparam("seen_after"),
        )
    )
)


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def split(cookie: str) -> tuple[str, str]:
    """Split a cookie `<tenant>.<token>`: the tenant of a session is no secret."""
    slug, _, token = cookie.partition(".")
    return (slug, token) if token.isascii() and len(cookie) <= MAX_COOKIE_LENGTH else ("", "")


def actor_of_token(token: str, *, while_suspended: bool = False) -> Actor | None:
    """Return the owner of this token in the current transaction's tenant.

    It takes one statement, with current roles. In a suspended tenant nobody is returned, except an
    admin for pages that are open `while_suspended`.
    """
    now = clock.now()
    rows = _HOLDER.rows(hash=token_hash(token), now=now, seen_after=now - IDLE_TIMEOUT)
    row = rows[0] if rows else None
    if row is None or not (row.status == "active" or (while_suspended and _may_stay(row))):
        return None
    own = row.preferences
    return Actor(
        tenant_id=row.tenant_id,
        tenant_slug=row.slug,
        tenant_name=row.tenant_name,
        person_id=row.person_id,
        name=row.name,
        role=row.role,
        kind="operator" if row.role.startswith("operator") else "person",
        email=row.email,
        session_id=row.id,
        authenticated_at=row.authenticated_at,
        time_zone=row.time_zone,
        own_time_zone=own.get("time_zone", ""),
        locale=own.get("locale", ""),
        theme=own.get("theme", ""),
        unread_notifications=row.unread_notifications,
    )


def _may_stay(row: Any) -> bool:
    return row.status in SUSPENDED_STATES and row.role == "admin"


def seen(who: Actor) -> None:
    """Keep the session alive: at most one write a minute, in a transaction of its own."""
    now = clock.now()
    with current.acting_as(who), transaction():
        session().execute(
            text(
                "UPDATE sessions SET seen_at = :now WHERE id = :id AND seen_at < :before AND"
                " ended_at IS NULL"
            ),
            {"now": now, "id": who.session_id, "before": now - SEEN_INTERVAL},
        )


def is_member(person_id: UUID, tenant_id: UUID) -> bool:
    """Return whether the person is a member, for the way from one tenant to another.

    The transaction is that person's, so it shows only their own memberships.
    """
    with transaction(read_only=True, tenant_id=tenant_id, person_id=person_id):
        query = select(Membership.id).where(
            Membership.person_id == person_id, Membership.ended_at.is_(None)
        )
        return session().scalar(query) is not None
