"""Keys as the door asks for them, and as their page shows them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, or_, select

from governance.foundation.api_keys.models import ApiKey
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock
from governance.kernel.bearer import Keys, StoredKey, Token
from governance.kernel.db import find, session


def keys_for(token: Token) -> Keys:
    """What is held under this token's hash in the present transaction's tenant: one statement, the
    rows as they are now.
    """
    query = select(ApiKey, Tenant.slug, Tenant.name).join(
        Tenant, (Tenant.id == ApiKey.tenant_id) & (Tenant.status == "active")
    )
    asked = or_(ApiKey.secret_hash == token.secret_hash, ApiKey.previous_hash == token.secret_hash)
    return {
        (held.tenant, held.secret_hash): held
        for row in session().execute(query.where(asked))
        for held in _held(row)
    }


def every_key() -> Keys:
    """All keys of the acting tenant that are not over, for a process that answers from memory."""
    query = select(ApiKey, Tenant.slug, Tenant.name).join(
        Tenant, (Tenant.id == ApiKey.tenant_id) & (Tenant.status == "active")
    )
    rows = session().execute(query.where(opens(clock.now())))
    return {(held.tenant, held.secret_hash): held for row in rows for held in _held(row)}


def _held(row: Row[ApiKey, str, str]) -> Sequence[StoredKey]:
    """A key under its secret, and under the one before while that is still good."""
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


def is_made(key_id: UUID) -> bool:
    return session().scalar(select(ApiKey.id).where(ApiKey.id == key_id)) is not None


def opens(now: datetime) -> ColumnElement[bool]:
    """Neither revoked nor at its end."""
    return and_(
        ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
    )


def live() -> Sequence[ApiKey]:
    """All keys that open something, by name; actions.MOST bounds them."""
    return (
        session()
        .scalars(
            select(ApiKey).where(opens(clock.now())).order_by(func.lower(ApiKey.name), ApiKey.id)
        )
        .all()
    )


def ended(*, limit: int) -> Sequence[ApiKey]:
    """The newest of those that open nothing any more."""
    query = (
        select(ApiKey)
        .where(~opens(clock.now()))
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    )
    return session().scalars(query.limit(limit)).all()
