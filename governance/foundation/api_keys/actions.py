"""Create, rotate and revoke API keys. A key itself is returned once and stored nowhere."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update

from governance.foundation.api_keys import queries
from governance.foundation.api_keys.models import DEFAULT_RATE, ApiKey
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current, formatting
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import lock_tenant, session, transaction
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.safety.access import known_scopes
from governance.kernel.web import bearer

CREATED = action(
    "api_key.created",
    "created an API key",
    target="ApiKey",
    activity="create",
    severity="medium",
    fields="name hint scopes ends system rate",
)
ROTATED = action(
    "api_key.rotated",
    "rotated an API key",
    target="ApiKey",
    activity="update",
    severity="medium",
    fields="name hint overlap_days previous_until",
)
REVOKED = action(
    "api_key.revoked",
    "revoked an API key",
    target="ApiKey",
    activity="delete",
    severity="medium",
    fields="name hint",
)

MAX_LIVE_KEYS = 100  # Per tenant.
MAX_KEY_LIFETIME = timedelta(days=3660)
MAX_RATE = 10_000_000  # Requests/min.
OVERLAP_DAYS = range(8)
USE_RECORDED_EVERY = timedelta(minutes=1)


class KeyEnded(DomainError):
    """The key was revoked or has expired."""


def create(
    name: str,
    scopes: Collection[str],
    *,
    ends: datetime | None = None,
    key_id: UUID | None = None,
    system_id: UUID | None = None,
    rate: int = DEFAULT_RATE,
) -> tuple[ApiKey, str]:
    """Create a key; return its row and the key itself.

    The caller chooses `key_id`, so that a request sent twice creates one key. `rate` is in requests
    per minute. Raises Invalid, which names the field.
    """
    lock_tenant("api_keys")  # Of two requests with one name, the second sees the first one's key.
    _check_key(name, scopes, ends)
    if not 1 <= rate <= MAX_RATE:
        raise Invalid(f"Enter 1 to {MAX_RATE:,} requests/min.", field="rate")
    token = bearer.new(current.actor().tenant_slug)
    row = ApiKey(
        id=key_id or uuid7(),
        name=name,
        hint=bearer.hint(token),
        secret_hash=bearer.digest(token),
        scopes=sorted(set(scopes)),
        made_by=current.actor().person_id,
        hands=_with(()),
        expires_at=ends,
        created_at=clock.now(),
        system_id=system_id,
        rate=rate,
    )
    session().add(row)
    record(
        CREATED,
        row,
        name=name,
        hint=row.hint,
        scopes=row.scopes,
        ends=ends,
        system=system_id,
        rate=rate,
    )
    tenant_revision.advance()
    return row, token


def _check_key(name: str, scopes: Collection[str], ends: datetime | None) -> None:
    if not name.strip():
        raise Invalid("Enter the name of the machine.", field="name")
    if not scopes or (unknown := set(scopes) - known_scopes.keys()):
        raise Invalid(
            (
                f"The scope {min(unknown)[:40]} doesn't exist. Choose another one."
                if scopes
                else "Choose at least one scope."
            ),
            field="scopes",
        )
    if ends is not None and not clock.now() < ends <= clock.now() + MAX_KEY_LIFETIME:
        raise Invalid("Choose an expiry date after today and within ten years.", field="ends_on")
    live_keys = select(func.count()).select_from(ApiKey).where(queries.is_live(clock.now()))
    if session().scalars(live_keys).one() >= MAX_LIVE_KEYS:
        raise Invalid(
            f"This tenant has {MAX_LIVE_KEYS} active keys, the most there can be. Revoke one that"
            " no machine uses."
        )
    if session().scalar(
        select(ApiKey.id).where(
            queries.is_live(clock.now()), func.lower(ApiKey.name) == name.lower()
        )
    ):
        raise Invalid(
            f"Another active key is named {name}. Rotate that one, or choose another name.",
            field="name",
        )


def rotate(row: ApiKey, *, overlap_days: int, seen: str) -> str:
    """Give a key a new secret and return it; the old one works for `overlap_days` more days.

    `seen` is the hint that the requester saw; raises Stale where the key was rotated since.
    """
    _check_live(row)
    if seen != row.hint:
        raise Stale(
            f"The key {row.name} was rotated since you opened this page. Only the person who"
            " rotated it saw the new secret."
        )
    if overlap_days not in OVERLAP_DAYS:
        raise Invalid(
            f"The old secret can keep working for 0 to {OVERLAP_DAYS[-1]} days.", field="overlap"
        )
    token = bearer.new(current.actor().tenant_slug)
    row.previous_hash, row.previous_until = (
        row.secret_hash,
        clock.now() + timedelta(days=overlap_days),
    )
    row.secret_hash, row.hint, row.hands = (
        bearer.digest(token),
        bearer.hint(token),
        _with(row.hands),
    )
    record(
        ROTATED,
        row,
        name=row.name,
        hint=row.hint,
        overlap_days=overlap_days,
        previous_until=row.previous_until,
    )
    tenant_revision.advance()
    return token


def _with(hands: Collection[str]) -> list[str]:
    """Return these people's ids and the acting person's, who sees the secret."""
    who = current.actor().person_id
    return sorted({*hands, str(who)} if who else hands)


def _check_live(row: ApiKey) -> None:
    if row.revoked_at is not None:
        raise KeyEnded(
            f"The key {row.name} was revoked on {formatting.long_day(row.revoked_at)}. Create"
            " a new one."
        )
    if row.expires_at is not None and row.expires_at <= clock.now():
        raise KeyEnded(
            f"The key {row.name} expired on {formatting.long_day(row.expires_at)}. Create a"
            " new one."
        )


def revoke(row: ApiKey) -> None:
    """Deny access from the next request on, under both secrets; do nothing if already revoked."""
    if row.revoked_at is not None:
        return
    row.revoked_at, row.revoked_by = clock.now(), current.actor().person_id
    record(REVOKED, row, name=row.name, hint=row.hint)
    tenant_revision.advance()


def record_use(who: current.Actor) -> None:
    """Record when a key was last used, at most once a minute, in a transaction of its own."""
    with current.acting_as(who), transaction():
        record_uses([who.key_id])


def record_uses(key_ids: Collection[UUID | None]) -> None:
    """Record the use of several keys within the current transaction."""
    now = clock.now()
    due = or_(ApiKey.used_at.is_(None), ApiKey.used_at < now - USE_RECORDED_EVERY)
    session().execute(update(ApiKey).where(ApiKey.id.in_(key_ids), due).values(used_at=now))
