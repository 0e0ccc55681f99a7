"""The platform minimum and the tiers, which the operator sets for all tenants.

change                        applies tightening immediately; loosening awaits a second operator
apply_request, close_request  after the decision on a request
moves, lines                  the differences of two versions
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import DEFAULT_LIFETIME
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.operations.policies import queries
from governance.operations.policies.dimensions import DIMENSIONS, Value, dimension
from governance.operations.policies.effective_policies import Platform, read_platform
from governance.operations.policies.models import PlatformPolicy
from governance.operations.policies.policy_diff import NOTHING_CHANGES, digest, platform_content
from governance.operations.policies.setting_labels import logged_value, value_label
from governance.operations.policies.strictness import Move, changes, loosens

ASKED = action(
    "platform_minimum.change.requested",
    "requested a looser platform minimum",
    target="PlatformPolicy",
    activity="create",
    severity="medium",
    fields="base lines until",
)
APPLIED = action(
    "platform_minimum.changed",
    "changed the platform minimum",
    target="PlatformPolicy",
    activity="update",
    severity="high",
    fields="number base lines loosens until",
    persons="made_by",
)
REFUSED = action(
    "platform_minimum.change.rejected",
    "rejected a looser platform minimum",
    target="PlatformPolicy",
    activity="update",
    severity="low",
    fields="base",
)
WITHDRAWN = action(
    "platform_minimum.change.withdrawn",
    "withdrew a request for a looser platform minimum",
    target="PlatformPolicy",
    activity="update",
    severity="low",
    fields="base",
)

LOCK = "platform"
MAX_LOOSER_TIME = timedelta(days=90)
MAX_TIERS = 12
MAX_LOGGED_LINES = 60


def check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")


# ---- changing it


def change(
    content: Mapping[str, Any], *, base: int, reason: str, until: datetime | None = None
) -> PlatformPolicy:
    """Change the operator's layer for every tenant.

    Tightening applies immediately, and loosening awaits a second operator. Tightening voids an open
    request, which is based on the previous version. `until` ends a looser minimum. Returns the
    version that applies, or the requested one.
    """
    lock_tenant(LOCK)
    now, platform = queries.platform(), check_content(content)
    _check_base(base)
    found = moves(now, platform)
    if not found:
        raise DomainError(NOTHING_CHANGES)
    check_reason(reason)
    ends = _check_end(platform, until)
    is_looser = any(loosens(move) for _, _, move in found) or _ends_later(now, ends)
    row = PlatformPolicy(
        number=None,
        state="requested",
        content=platform_content(platform),
        digest="",
        base=base,
        loosens=is_looser,
        reason=reason.strip(),
        made_by=current.person_id(),
        decided_by=None,
        decided_at=None,
        in_force_from=None,
        until=ends,
    )
    row.digest = digest(base, row.content | {"until": row.until.isoformat() if row.until else None})
    if is_looser:
        _request(row)
    else:
        _void_open_request(base)
        session().add(row)
        _activate(row, now)
    return row


def _request(row: PlatformPolicy) -> None:
    there = queries.open_platform()
    if there is not None and not approvals.close_expired(queries.PLATFORM, there.id):
        raise DomainError(
            "Another change awaits a second operator. Decide on it or withdraw it first."
        )
    session().add(row)
    session().flush()
    expires_at = clock.now() + DEFAULT_LIFETIME
    approvals.request(
        queries.PLATFORM,
        row.id,
        summary="loosen the platform minimum",
        reason=row.reason,
        expires_at=min(expires_at, row.until or expires_at),
    )


def _void_open_request(base: int) -> None:
    there = queries.open_platform()
    if there is not None:
        number = base + 1
        approvals.void(
            queries.PLATFORM,
            there.id,
            reason=(
                f"Version {number} changed the platform minimum after this request was made."
                f" Request the change again, based on version {number}."
            ),
        )
        session().flush()  # Before the next version, since only one is open at a time.


def check_content(content: Mapping[str, Any]) -> Platform:
    """Parse the full content. A tier is never removed, because tenants may use it.

    Raises Invalid for an unknown dimension, level or name.
    """
    platform = read_platform(0, content)
    current_tiers = queries.platform().tiers
    for key in platform.unwaivable:
        dimension(key)
    if gone := current_tiers.keys() - platform.tiers.keys():
        raise Invalid(
            f"Tenants may use {', '.join(sorted(gone))}, so the tier can't be removed.",
            field="tiers",
        )
    if len(platform.tiers) > MAX_TIERS:
        raise Invalid(
            f"There can be at most {MAX_TIERS} tiers.",
            field="tiers",
        )
    for key, tier in platform.tiers.items():
        _check_tier(key, tier.name, tier.values)
    return platform


def _check_tier(key: str, name: str, values: Mapping[str, Value]) -> None:
    if missing := [k for k in DIMENSIONS if k not in values]:
        raise Invalid(
            f"The {name or key} tier has no value for {DIMENSIONS[missing[0]].title}. Enter one for"
            " every setting.",
            field=missing[0],
        )
    if not name.strip():
        raise Invalid("Enter a name.", field="name")


def needs_end(platform: Platform) -> bool:
    """Return True if the minimum would be below the permanent one."""
    return any(loosens(c.move) for c in changes(queries.lasting_floor(), platform.floor))


def _check_end(platform: Platform, until: datetime | None) -> datetime | None:
    """Return the end of a minimum below the permanent one, within 90 days; others have none."""
    now = clock.now()
    if not needs_end(platform):
        return None
    until = until or queries.platform().until
    if until is None:
        raise Invalid(
            "A looser minimum must end. Choose a day at most"
            f" {MAX_LOOSER_TIME.days} days from now.",
            field="until",
        )
    if not now < until <= now + MAX_LOOSER_TIME:
        raise Invalid(
            f"Choose a future day, at most {MAX_LOOSER_TIME.days} days from now.",
            field="until",
        )
    return until


def _ends_later(now: Platform, ends: datetime | None) -> bool:
    """Return True if a looser minimum would last longer than two operators approved."""
    return ends is not None and now.until is not None and ends > now.until


def moves(before: Platform, after: Platform) -> list[tuple[str, str, Move]]:
    """Return (where, setting, move) of every difference: minimum, tiers, unwaivable settings."""
    found: list[tuple[str, str, Move]] = [
        ("floor", c.key, c.move) for c in changes(before.floor, after.floor)
    ]
    for key, tier in after.tiers.items():
        old = before.tiers.get(key)
        if old is None:
            found.append((key, "tier", "tightens"))  # No tenant uses it yet.
            continue
        found += [(key, c.key, c.move) for c in changes(old.values, tier.values)]
        if (old.name, old.means) != (tier.name, tier.means):
            found.append((key, "words", "same"))
        if old.four_eyes != tier.four_eyes:
            found.append((key, "four_eyes", "tightens" if tier.four_eyes else "loosens"))
    found += [
        ("unwaivable", key, "tightens") for key in sorted(after.unwaivable - before.unwaivable)
    ]
    return found + [
        ("unwaivable", key, "loosens") for key in sorted(before.unwaivable - after.unwaivable)
    ]


def lines(before: Platform, after: Platform) -> list[tuple[str, str, str, str, Move]]:
    """Return (where, setting, before, after, move) of every difference, with labels and units."""
    return _lines(before, after, lambda key, value: value_label(value, key))


def _lines(
    before: Platform, after: Platform, to_text: Callable[[str, Value | None], str]
) -> list[tuple[str, str, str, str, Move]]:
    return [
        (where, what, *_pair(before, after, where, what, to_text), move)
        for where, what, move in moves(before, after)
    ]


def _logged_lines(before: Platform, after: Platform) -> list[list[str]]:
    rows = [
        list(line[:4]) for line in _lines(before, after, lambda _key, value: logged_value(value))
    ]
    return (
        rows
        if len(rows) <= MAX_LOGGED_LINES
        else [*rows[:MAX_LOGGED_LINES], ["", f"and {len(rows) - MAX_LOGGED_LINES} more", "", ""]]
    )


def _pair(
    before: Platform,
    after: Platform,
    where: str,
    what: str,
    to_text: Callable[[str, Value | None], str],
) -> tuple[str, str]:
    if where == "floor":
        return to_text(what, before.floor.get(what)), to_text(what, after.floor.get(what))
    if where == "unwaivable":
        return (
            ("can be waived", "can't be waived")
            if what in after.unwaivable
            else ("can't be waived", "can be waived")
        )
    old, new = before.tiers.get(where), after.tiers[where]
    match what:
        case "tier":
            return "none", new.name
        case "words":
            return (f"{old.name}: {old.means}" if old else "none"), f"{new.name}: {new.means}"
        case "four_eyes":
            return (
                ("one person can tighten", "two people must tighten")
                if new.four_eyes
                else ("two people must tighten", "one person can tighten")
            )
    return (
        to_text(what, old.values.get(what) if old else None),
        to_text(what, new.values.get(what)),
    )


def _check_base(base: int) -> None:
    newest = queries.newest_platform_number()
    if base != newest:
        raise Stale(
            f"Version {newest} was published after you opened this page. Review it, then save"
            " again."
        )


def _activate(row: PlatformPolicy, now: Platform) -> None:
    row.state, row.number, row.in_force_from = "live", row.base + 1, clock.now()
    tenant_revision.advance_all()
    record(
        APPLIED,
        row,
        reason=row.reason,
        number=row.number,
        base=row.base,
        loosens=row.loosens,
        until=row.until,
        made_by=row.made_by,
        lines=_logged_lines(now, read_platform(0, row.content)),
    )


# ---- after its approval


def apply_request(row: PlatformPolicy) -> None:
    """Apply an approved request."""
    _check_base(row.base)
    row.decided_by, row.decided_at = current.person_id(), clock.now()
    _activate(row, queries.platform())


def close_request(row: PlatformPolicy, state: str) -> None:
    """Close a rejected, withdrawn, voided or expired request, and record which."""
    row.state, row.decided_by, row.decided_at = state, current.actor().person_id, clock.now()


def facts(row: PlatformPolicy) -> dict[str, Any]:
    """Return the facts for a request's log entries."""
    return {
        "base": row.base,
        "until": row.until,
        "lines": _logged_lines(queries.platform(), read_platform(0, row.content)),
    }
