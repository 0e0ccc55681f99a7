"""Making a machine's key, rotating and revoking it.

The key itself is returned once and kept nowhere.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update

from governance.foundation.api_keys import queries
from governance.foundation.api_keys.models import RATE, ApiKey
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import bearer, clock, current, tenant_revision
from governance.kernel.access import known_scopes
from governance.kernel.db import alone, session, transaction
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.ids import uuid7

MADE = action(
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

MOST = 100  # keys of a tenant that open something
LONGEST = timedelta(days=3660)
MOST_RATE = 10_000_000
OVERLAPS = range(8)  # days
USED_EVERY = timedelta(minutes=1)


class AlreadyEnded(DomainError):
    pass


def make(
    name: str,
    scopes: Collection[str],
    *,
    ends: datetime | None = None,
    key_id: UUID | None = None,
    system_id: UUID | None = None,
    rate: int = RATE,
) -> tuple[ApiKey, str]:
    """(row, the key itself).

    `key_id` is chosen by who asks, so that asking twice makes one. `rate`: requests a minute.
    """
    alone(
        "api_keys"
    )  # two who make a key of one name at the same moment: the second sees the first one's
    _sensible(name, scopes, ends)
    if not 1 <= rate <= MOST_RATE:
        raise Invalid(f"Between 1 and {MOST_RATE} requests a minute.", field="rate")
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
        MADE,
        row,
        name=name,
        hint=row.hint,
        scopes=row.scopes,
        ends=ends,
        system=system_id,
        rate=rate,
    )
    tenant_revision.move()
    return row, token


def _sensible(name: str, scopes: Collection[str], ends: datetime | None) -> None:
    if not name.strip():
        raise Invalid("Name the machine that gets it.", field="name")
    if not scopes or (unknown := set(scopes) - known_scopes.keys()):
        raise Invalid(
            f"{min(unknown)[:40]} is no scope here." if scopes else "Choose what it may do.",
            field="scopes",
        )
    if ends is not None and not clock.now() < ends <= clock.now() + LONGEST:
        raise Invalid("A key ends after today and within ten years.", field="ends_on")
    live_keys = select(func.count()).select_from(ApiKey).where(queries.opens(clock.now()))
    if session().scalars(live_keys).one() >= MOST:
        raise Invalid(
            f"There are {MOST} live keys, which is the most. Revoke one that no machine uses."
        )
    if session().scalar(
        select(ApiKey.id).where(queries.opens(clock.now()), func.lower(ApiKey.name) == name.lower())
    ):
        raise Invalid(
            f"Another live key is named {name}. Rotate that one, or choose another name.",
            field="name",
        )


def rotate(row: ApiKey, *, overlap_days: int, seen: str) -> str:
    """A new secret for the same key; the old one opens for that many days more.

    `seen` is the hint that the asker saw.
    """
    _live(row)
    if seen != row.hint:
        raise Stale(
            f"The key {row.name} was rotated since you opened this page. Its new secret was shown"
            " to whoever did that."
        )
    if overlap_days not in OVERLAPS:
        raise Invalid(
            f"The old secret can stay good for 0 to {OVERLAPS[-1]} days.", field="overlap"
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
    tenant_revision.move()
    return token


def _with(hands: Collection[str]) -> list[str]:
    """The same with the acting person, who sees the secret."""
    who = current.actor().person_id
    return sorted({*hands, str(who)} if who else hands)


def _live(row: ApiKey) -> None:
    if row.revoked_at is not None:
        raise AlreadyEnded(
            f"The key {row.name} was revoked on {row.revoked_at.day} {row.revoked_at:%B %Y}."
        )
    if row.expires_at is not None and row.expires_at <= clock.now():
        raise AlreadyEnded(
            f"The key {row.name} ended on {row.expires_at.day} {row.expires_at:%B %Y}. Make another"
            " one."
        )


def revoke(row: ApiKey) -> None:
    """From the next request on it opens nothing, under neither secret.

    Revoking twice is revoking once.
    """
    if row.revoked_at is not None:
        return
    row.revoked_at, row.revoked_by = clock.now(), current.actor().person_id
    record(REVOKED, row, name=row.name, hint=row.hint)
    tenant_revision.move()


def note_use(who: current.Actor) -> None:
    """When a key was last used: at most one write a minute, in a transaction of its own, after the
    answer.
    """
    with current.acting_as(who), transaction():
        note_uses([who.key_id])


def note_uses(of: Collection[UUID | None]) -> None:
    """The same for several keys at once, within the present transaction."""
    now = clock.now()
    due = or_(ApiKey.used_at.is_(None), ApiKey.used_at < now - USED_EVERY)
    session().execute(update(ApiKey).where(ApiKey.id.in_(of), due).values(used_at=now))
