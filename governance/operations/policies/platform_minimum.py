"""The platform minimum and the tiers, which the operator sets for all tenants.

change                       what only tightens applies at once; what loosens awaits a second operator
approve, reject, withdraw    of what awaits one
moves, lines                 what differs between two versions
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.second_person import ApprovalRequest
from governance.kernel import clock, current, tenant_revision
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.operations.policies import queries
from governance.operations.policies.effective_policies import Platform, read_platform
from governance.operations.policies.models import PlatformPolicy
from governance.operations.policies.policy_diff import digest, mark, platform_content, said
from governance.operations.policies.strictness import DIMENSIONS, Move, Value, changes, dimension, loosens

ASKED = action(
    "platform.asked",
    "asked to loosen what stands under all tenants",
    target="PlatformPolicy",
    activity="create",
    severity="medium",
    fields="base lines until",
)
APPLIED = action(
    "platform.applied",
    "changed what stands under all tenants",
    target="PlatformPolicy",
    activity="update",
    severity="high",
    fields="number base lines loosens until",
    persons="made_by",
)
REFUSED = action(
    "platform.refused",
    "refused to loosen what stands under all tenants",
    target="PlatformPolicy",
    activity="update",
    severity="low",
    fields="base",
)
WITHDRAWN = action(
    "platform.withdrawn",
    "withdrew a change of what stands under all tenants",
    target="PlatformPolicy",
    activity="update",
    severity="low",
    fields="base",
)


MAX_LOOSER_TIME = timedelta(days=90)
MAX_TIERS = 12
MAX_LOGGED_LINES = 60


def check_reason(because: str) -> None:
    if not because.strip():
        raise Invalid("Say why: the reason is kept in the log.", field="because")


def change(content: Mapping[str, Any], *, base: int, because: str, until: datetime | None = None) -> PlatformPolicy:
    """What tightens is in force at once for every tenant; what loosens waits for a second operator. A looser floor ends by `until`."""
    alone("platform")
    now, wanted = queries.platform(), check_content(content)
    _check_base(base)
    if queries.open_platform(lock=True) is not None:
        raise DomainError("A change waits for a second operator. Decide on it or withdraw it first.")
    found = moves(now, wanted)
    if not found:
        raise DomainError("Nothing changes: it says what is in force already.")
    check_reason(because)
    ends = _check_end(wanted, until)
    bad = any(loosens(move) for _, _, move in found) or _ends_later(now, ends)
    row = PlatformPolicy(
        number=None, state="asked", content=platform_content(wanted), digest="", base=base, loosens=bad, reason=because.strip(),
        made_by=current.person_id(), decided_by=None, decided_at=None, in_force_from=None, until=ends,
    )  # fmt: skip
    row.digest = digest(base, row.content | {"until": row.until.isoformat() if row.until else None})
    session().add(row)
    if bad:
        record(ASKED, row, because=row.reason, base=base, lines=_logged_lines(now, wanted), until=row.until)
    else:
        _bring_into_force(row, now)
    return row


def check_content(content: Mapping[str, Any]) -> Platform:
    """Read whole: unknown dimensions, levels and names are refused. A tier is never taken away: tenants may stand on it."""
    wanted = read_platform(0, content)
    here = queries.platform()
    for key in wanted.unwaivable:
        dimension(key)
    if gone := here.tiers.keys() - wanted.tiers.keys():
        raise Invalid(f"A tier is never taken away, since tenants may stand on it: {', '.join(sorted(gone))}.", field="tiers")
    if len(wanted.tiers) > MAX_TIERS:
        raise Invalid(f"At most {MAX_TIERS} tiers: people have to choose one.", field="tiers")
    for key, tier in wanted.tiers.items():
        _check_tier(key, tier.name, tier.values)
    return wanted


def _check_tier(key: str, name: str, values: Mapping[str, Value]) -> None:
    if missing := [k for k in DIMENSIONS if k not in values]:
        raise Invalid(f"The tier {key} says nothing about {missing[0]}: a tier has a value in every dimension.", field=missing[0])
    if not name.strip():
        raise Invalid("A tier has a name.", field="name")


def needs_end(wanted: Platform) -> bool:
    """Whether the floor would be below the one that lasts."""
    return any(loosens(c.move) for c in changes(queries.lasting_floor(), wanted.floor))


def _check_end(wanted: Platform, until: datetime | None) -> datetime | None:
    """A floor below the one that lasts has an end, at most 90 days away; a floor that is not has none."""
    now = clock.now()
    if not needs_end(wanted):
        return None
    until = until or queries.platform().until
    if until is None:
        raise Invalid("A looser floor ends: say when, at most 90 days from now.", field="until")
    if not now < until <= now + MAX_LOOSER_TIME:
        raise Invalid(f"The looser floor ends on a day that is still to come, at most {MAX_LOOSER_TIME.days} days from now.", field="until")  # fmt: skip
    return until


def _ends_later(now: Platform, ends: datetime | None) -> bool:
    """A looser floor for longer than two operators agreed on loosens, whatever else is tightened with it."""
    return ends is not None and now.until is not None and ends > now.until


def moves(before: Platform, after: Platform) -> list[tuple[str, str, Move]]:
    """(where, what, move) of everything that differs: floor, tiers, what may not be waived."""
    found: list[tuple[str, str, Move]] = [("floor", c.key, c.move) for c in changes(before.floor, after.floor)]
    for key, tier in after.tiers.items():
        old = before.tiers.get(key)
        if old is None:
            found.append((key, "tier", "tightens"))  # nobody stands on it yet
            continue
        found += [(key, c.key, c.move) for c in changes(old.values, tier.values)]
        if (old.name, old.means) != (tier.name, tier.means):
            found.append((key, "words", "same"))
        if old.four_eyes != tier.four_eyes:
            found.append((key, "four_eyes", "tightens" if tier.four_eyes else "loosens"))
    found += [("unwaivable", key, "tightens") for key in sorted(after.unwaivable - before.unwaivable)]
    return found + [("unwaivable", key, "loosens") for key in sorted(before.unwaivable - after.unwaivable)]


def lines(before: Platform, after: Platform) -> list[tuple[str, str, str, str, Move]]:
    """(where, what, before, after, move) of everything that differs, in words."""
    return [(where, what, *_pair(before, after, where, what), move) for where, what, move in moves(before, after)]


def _logged_lines(before: Platform, after: Platform) -> list[list[str]]:
    rows = [list(line[:4]) for line in lines(before, after)]
    return (
        rows
        if len(rows) <= MAX_LOGGED_LINES
        else [*rows[:MAX_LOGGED_LINES], ["", f"and {len(rows) - MAX_LOGGED_LINES} more", "", ""]]
    )


def _pair(before: Platform, after: Platform, where: str, what: str) -> tuple[str, str]:
    if where == "floor":
        return said(before.floor.get(what)), said(after.floor.get(what))
    if where == "unwaivable":
        return ("waivable", "not waivable") if what in after.unwaivable else ("not waivable", "waivable")
    old, new = before.tiers.get(where), after.tiers[where]
    match what:
        case "tier":
            return "none", new.name
        case "words":
            return (f"{old.name}: {old.means}" if old else "none"), f"{new.name}: {new.means}"
        case "four_eyes":
            return (
                ("one person tightens", "two persons tighten")
                if new.four_eyes
                else ("two persons tighten", "one person tightens")
            )
    return said(old.values.get(what) if old else None), said(new.values.get(what))


def _check_base(base: int) -> None:
    newest = queries.newest_platform_number()
    if base != newest:
        raise Stale(f"Version {newest} came into force since you opened this page. Look at it, then save again.")


def _bring_into_force(row: PlatformPolicy, now: Platform) -> None:
    row.state, row.number, row.in_force_from = "live", row.base + 1, clock.now()
    tenant_revision.move_all()
    record(
        APPLIED, row, because=row.reason, number=row.number, base=row.base, loosens=row.loosens, until=row.until,
        made_by=row.made_by, lines=_logged_lines(now, read_platform(0, row.content)),
    )  # fmt: skip


def fingerprint(row: PlatformPolicy) -> str:
    """Of the change, and of the layer that it changes: a looser floor ends without a new number."""
    until = row.until.isoformat() if row.until else ""
    return mark(row.id, row.digest, row.reason, until, row.base, platform_content(queries.platform()))


def approval_of(row: PlatformPolicy) -> ApprovalRequest:
    return ApprovalRequest([row.made_by], row.created_at)


def approve(row: PlatformPolicy, *, seen: str) -> None:
    """A second operator agrees to exactly what he saw."""
    alone("platform")
    session().refresh(row, with_for_update=True)
    _check_open(row)
    approval_of(row).check()
    _check_base(row.base)
    if seen != fingerprint(row):
        raise Stale("It changed since you opened this page. Look at it again.")
    if row.until is not None and row.until <= clock.now():
        raise DomainError("The day on which the looser floor was to end has passed. Withdraw it and ask again.")
    row.decided_by, row.decided_at = current.person_id(), clock.now()
    _bring_into_force(row, queries.platform())


def reject(row: PlatformPolicy, because: str) -> None:
    session().refresh(row, with_for_update=True)
    _check_open(row)
    approval_of(row).check_rejection()
    check_reason(because)
    row.state, row.decided_by, row.decided_at = "refused", current.person_id(), clock.now()
    record(REFUSED, row, because=because, base=row.base)


def withdraw(row: PlatformPolicy) -> None:
    session().refresh(row, with_for_update=True)
    _check_open(row)
    if current.person_id() != row.made_by:
        raise Forbidden("Only who asked can withdraw it.")
    row.state, row.decided_at = "withdrawn", clock.now()
    record(WITHDRAWN, row, base=row.base)


def _check_open(row: PlatformPolicy) -> None:
    if row.state != "asked":
        raise DomainError("That change was decided or withdrawn already.")
