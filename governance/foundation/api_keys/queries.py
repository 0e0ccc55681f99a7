"""Reads of API keys: by token, for a request; as lists, for their page."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select

from governance.foundation.api_keys.models import ApiKey
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.models import Membership
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import KNOWN_STATES, suspended
from governance.kernel import clock, current
from governance.kernel.data.db import among, find, session
from governance.kernel.web.bearer import Keys, PresentedKey, StoredKey


def keys_for(token: PresentedKey) -> Keys:
    """Return the acting tenant's keys with this token's hash, in one statement.

    Raises TenantSuspended while the operator has suspended the tenant.
    """
    query = select(
        ApiKey, Tenant.slug, Tenant.name, Tenant.status, Tenant.deletes_at, Tenant.time_zone
    ).join(Tenant, Tenant.id == ApiKey.tenant_id)
    has_hash = or_(
        ApiKey.secret_hash == token.secret_hash, ApiKey.previous_hash == token.secret_hash
    )
    rows = session().execute(query.where(has_hash)).all()
    if rows and rows[0].status != "active":
        first = rows[0]
        raise suspended(first.slug, first.name, first.deletes_at, first.time_zone)
    return _by_secret((row[0], row.slug, row.name) for row in rows)


def every_key() -> Keys:
    """Return all live keys of the acting tenant, for a process that answers from memory.

    Includes those of a suspended tenant: its products must learn that they are stopped.
    """
    query = select(ApiKey, Tenant.slug, Tenant.name).join(
        Tenant, (Tenant.id == ApiKey.tenant_id) & Tenant.status.in_(KNOWN_STATES)
    )
    return _by_secret(
        (key, slug, name)
        for key, slug, name in session().execute(query.where(is_live(clock.now())))
    )


def _by_secret(rows: Iterable[tuple[ApiKey, str, str]]) -> Keys:
    return {
        (stored.tenant, stored.secret_hash): stored for row in rows for stored in _stored_keys(row)
    }


def _stored_keys(row: tuple[ApiKey, str, str]) -> Sequence[StoredKey]:
    """Return a key under its secret, and under the previous one, which works until its time."""
    key, slug, name = row
    pairs = [(key.secret_hash, key.expires_at)]
    if key.previous_hash is not None:
        pairs.append((key.previous_hash, min(filter(None, (key.previous_until, key.expires_at)))))
    return [
        StoredKey(
            key.id,
            key.tenant_id,
            slug,
            name,
            key.name,
            secret,
            frozenset(key.scopes),
            until,
            key.revoked_at is not None,
            key.system_id,
            key.rate,
        )
        for secret, until in pairs
    ]


def key(key_id: UUID, *, lock: bool = False) -> ApiKey:
    return find(ApiKey, key_id, what="key", lock=lock)


def exists(key_id: UUID) -> bool:
    return session().scalar(select(ApiKey.id).where(ApiKey.id == key_id)) is not None


def is_live(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a key is neither revoked nor expired."""
    return and_(
        ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
    )


def is_known_to_former_members() -> ColumnElement[bool]:
    """Return the condition that a former member knows a secret of the key.

    The key wasn't rotated since they left.
    """
    k, m, e = ApiKey, Membership, AuditEntry
    seer = func.jsonb_array_elements_text(k.hands).table_valued("value")
    theirs = (m.tenant_id == k.tenant_id) & (cast(m.person_id, String) == seer.c.value)
    stays = select(m.id).where(theirs, m.ended_at.is_(None)).correlate(k, seer)
    left = select(func.max(m.ended_at)).where(theirs).correlate(k, seer).scalar_subquery()
    rotation = select(e.id).where(
        e.tenant_id == k.tenant_id,
        e.target_type == ApiKey.__name__,
        e.target_id == k.id,
        e.action == "api_key.rotated",
        e.at >= func.coalesce(left, k.created_at),
    )
    stale = ~stays.exists(), ~rotation.correlate(k, seer).exists()
    return select(1).select_from(seer).where(*stale).correlate(k).exists()


def known_to_former_members(keys: Collection[ApiKey]) -> set[UUID]:
    """Return the ids of those keys whose secret a former member knows."""
    query = select(ApiKey.id).where(
        among(ApiKey.id, [key.id for key in keys]), is_known_to_former_members()
    )
    return set(session().scalars(query))


def is_to_rotate_after(m: type[Membership]) -> ColumnElement[bool]:
    """Return the condition that a key needs rotation because the member of `m` has left.

    The member has seen a secret of the key, and it wasn't rotated since.
    """
    k, e = ApiKey, AuditEntry
    rotation = select(e.id).where(
        e.tenant_id == k.tenant_id,
        e.target_type == ApiKey.__name__,
        e.target_id == k.id,
        e.action == "api_key.rotated",
        e.at >= m.ended_at,
    )
    return and_(
        k.tenant_id == m.tenant_id,
        m.ended_at.is_not(None),
        k.hands.op("@>")(func.jsonb_build_array(cast(m.person_id, String))),
        ~rotation.correlate(k, m).exists(),
    )


def live() -> Sequence[ApiKey]:
    """Return all live keys by name; actions.MAX_LIVE_KEYS bounds them."""
    return (
        session()
        .scalars(
            select(ApiKey).where(is_live(clock.now())).order_by(func.lower(ApiKey.name), ApiKey.id)
        )
        .all()
    )


def ended(*, limit: int) -> Sequence[ApiKey]:
    """Return the newest keys that are revoked or expired."""
    query = (
        select(ApiKey)
        .where(~is_live(clock.now()))
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    )
    return session().scalars(query.limit(limit)).all()


def acting_key_system() -> UUID | None:
    """Return the AI system that the acting machine's key is limited to; None: all of them."""
    return session().scalar(select(ApiKey.system_id).where(ApiKey.id == current.key_id()))
