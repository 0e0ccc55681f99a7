"""Create, change and retire objectives.

create      an objective and its version 1
change      version n + 1, or name, owner and notes, which make no version
retire      ends its measurement; its history stays

One person can loosen a target; the log has a separate action for it, with high severity.
"""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.queries import membership_of
from governance.kernel import clock, current, formatting
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.models import Indicator
from governance.operations.objectives.models import WINDOWS, Objective, ObjectiveVersion
from governance.operations.objectives.service_hours import InvalidHours, ServiceHours

DEFINITION = "target window window_days service_hours minimum_coverage rules"
CREATED = action(
    "objective.created",
    "created an objective",
    target="Objective",
    activity="create",
    severity="low",
    fields=f"key name indicator is_ai version {DEFINITION}",
    persons="owner",
)
EDITED = action(
    "objective.edited",
    "edited the name, owner or note of an objective",
    target="Objective",
    activity="update",
    severity="informational",
    fields="name kind_note is_ai",
    persons="owner",
)
CHANGED = action(
    "objective.changed",
    "saved a new version of an objective",
    target="Objective",
    activity="update",
    severity="low",
    fields=f"name version {DEFINITION}",
)
LOOSENED = action(
    "objective.loosened",
    "loosened an objective",
    target="Objective",
    activity="update",
    severity="high",
    fields=f"name version {DEFINITION}",
)
RETIRED = action(
    "objective.retired",
    "retired an objective",
    target="Objective",
    activity="delete",
    severity="low",
    fields="key name",
    shape="stop",
)

SLUG = re.compile(r"[a-z][a-z0-9-]{1,62}\Z")  # Name in OpenSLO: RFC 1123, up to 63 characters
MAX_NAME_LENGTH = 120
MAX_NOTE_LENGTH = 120
MAX_REASON_LENGTH = 2000
MAX_DIGITS = 12  # Digits of a target after the point
MAX_WINDOW_DAYS = 366
MAX_OBJECTIVES = 5000  # Maximum per tenant, including retired ones
DEFINED = tuple(DEFINITION.split())


class AlreadyRetired(DomainError):
    pass


class NameTaken(DomainError):
    pass


def create(
    *,
    name: str,
    indicator_id: UUID,
    target: Decimal,
    window: str = "rolling",
    window_days: int = 30,
    service_hours: Mapping[str, Any] | None = None,
    owner_id: UUID | None = None,
    minimum_coverage: Decimal = Decimal("0.95"),
    rules: list[Any] | None = None,
    kind_note: str = "",
    is_ai: bool = False,
    key: str | None = None,
    reason: str = "",
) -> Objective:
    """Create an objective. Without a `key`, its slug is made from the name.

    `target` and `minimum_coverage` are shares, such as Decimal("0.995"). `service_hours` is JSON as
    service_hours.py reads it. `rules` is for the alerts feature, which checks it.
    """
    indicator = _live_indicator(indicator_id)
    name = _checked_name(name)
    definition = checked_definition(
        target=target,
        window=window,
        window_days=window_days,
        service_hours=service_hours,
        minimum_coverage=minimum_coverage,
        rules=rules,
    )
    _check_owner(owner_id)
    objective = Objective(
        key=_reserve_key(key, name),
        name=name,
        indicator_id=indicator_id,
        owner_id=owner_id,
        kind_note=_checked_note(kind_note),
        is_ai=is_ai,
        number=1,
        created_at=clock.now(),
        **definition,
    )
    session().add(objective)
    session().flush()
    _add_version(objective, reason)
    record(
        CREATED,
        objective,
        reason=reason.strip() or None,
        key=objective.key,
        name=name,
        indicator=indicator.key,
        is_ai=is_ai,
        version=1,
        owner=owner_id,
        **definition,
    )
    return objective


def change(
    objective: Objective, *, seen: int, reason: str = "", **changes: Any
) -> ObjectiveVersion | None:
    """Change parts of an objective. The caller has locked its row (queries.objective(lock=True)).

    `seen` is the version that the form was opened with. Raises Stale, with the changes, if another
    version was saved since. Parts of the definition make a new version, which is returned and needs
    a reason; name, owner_id, kind_note and is_ai don't.
    """
    _check_live(objective)
    if seen != objective.number:
        raise _stale(objective, changes)
    unknown = set(changes) - {*DEFINED, "name", "owner_id", "kind_note", "is_ai"}
    if unknown:
        raise TypeError(f"an objective has no {min(unknown)}")
    _edit(objective, {name: changes[name] for name in changes if name not in DEFINED})
    before = {name: getattr(objective, name) for name in DEFINED}
    after = checked_definition(
        **{**before, **{name: changes[name] for name in changes if name in DEFINED}}
    )
    if after == before:
        return None
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept with the version.", field="reason")
    is_looser = loosens(before, after)
    for name, value in after.items():
        setattr(objective, name, value)
    objective.number += 1
    version = _add_version(objective, reason)
    record(
        LOOSENED if is_looser else CHANGED,
        objective,
        reason=reason.strip(),
        before=before,
        after=after,
        name=objective.name,
        version=objective.number,
    )
    return version


def loosens(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return True if a definition promises less: a lower target or coverage, or fewer hours."""
    return (
        after["target"] < before["target"]
        or after["minimum_coverage"] < before["minimum_coverage"]
        or _hours_a_week(after) < _hours_a_week(before)
    )


def retire(objective: Objective, *, reason: str) -> None:
    """Retire an objective: it leaves the list and is no longer measured."""
    _check_live(objective)
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    objective.retired_at = clock.now()
    record(RETIRED, objective, reason=reason.strip(), key=objective.key, name=objective.name)


def checked_definition(
    *,
    target: Decimal,
    window: str,
    window_days: int,
    service_hours: Mapping[str, Any] | None,
    minimum_coverage: Decimal,
    rules: list[Any] | None,
) -> dict[str, Any]:
    """Return the definition as it is stored. Raises Invalid, naming the field."""
    _check_share(target, "target")
    if not 0 < target < 1:
        raise Invalid(
            "A target is above 0% and below 100%: at 100% there is no budget.", field="target"
        )
    if window not in WINDOWS:
        raise Invalid("Choose rolling days or the calendar month.", field="window")
    if not 1 <= window_days <= MAX_WINDOW_DAYS:
        raise Invalid(f"A window has 1 to {MAX_WINDOW_DAYS} days.", field="window_days")
    _check_share(minimum_coverage, "minimum_coverage")
    if not 0 <= minimum_coverage <= 1:
        raise Invalid("Minimum coverage is from 0% to 100%.", field="minimum_coverage")
    hours = None
    if service_hours is not None:
        try:
            hours = ServiceHours.parse(service_hours).as_json()
        except InvalidHours as error:
            raise Invalid(str(error), field="service_hours") from error
    return {
        "target": target,
        "window": window,
        "window_days": window_days,
        "service_hours": hours,
        "minimum_coverage": minimum_coverage,
        "rules": rules,
    }


# ---- rules that several share


def _add_version(objective: Objective, reason: str) -> ObjectiveVersion:
    if len(reason) > MAX_REASON_LENGTH:
        raise Invalid(f"A reason has up to {MAX_REASON_LENGTH:,} characters.", field="reason")
    version = ObjectiveVersion(
        objective_id=objective.id,
        number=objective.number,
        reason=reason.strip(),
        by=current.actor().person_id,
        at=clock.now(),
        **{name: getattr(objective, name) for name in DEFINED},
    )
    session().add(version)
    session().flush()
    return version


def _edit(objective: Objective, changes: Mapping[str, Any]) -> None:
    """Change the parts that make no version."""
    after = dict(changes)
    if "name" in after:
        after["name"] = _checked_name(after["name"])
        lock_tenant("objectives")
        same = select(Objective.id).where(
            Objective.name == after["name"],
            Objective.retired_at.is_(None),
            Objective.id != objective.id,
        )
        if session().scalars(same).first():
            raise NameTaken(
                f"An objective {after['name']} exists already. Choose another name.", field="name"
            )
    if "kind_note" in after:
        after["kind_note"] = _checked_note(after["kind_note"])
    before = {name: getattr(objective, name) for name in after}
    if after == before:
        return
    if after.get("owner_id") != before.get("owner_id"):
        _check_owner(after.get("owner_id"))
    for name, value in after.items():
        setattr(objective, name, value)
    record(EDITED, objective, before=_owner_as_person(before), after=_owner_as_person(after))


def _owner_as_person(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"owner" if name == "owner_id" else name: value for name, value in values.items()}


def _stale(objective: Objective, changes: Mapping[str, Any]) -> Stale:
    differing = {
        name: (wanted, getattr(objective, name))
        for name, wanted in changes.items()
        if hasattr(objective, name) and getattr(objective, name) != wanted
    }
    return Stale(
        f"Someone else saved version {objective.number} of {objective.name} while you were editing."
        " Review it, then save again.",
        differing,
    )


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_LENGTH:
        raise Invalid(f"Enter a name of up to {MAX_NAME_LENGTH} characters.", field="name")
    return name


def _checked_note(note: str) -> str:
    note = " ".join(note.split())
    if len(note) > MAX_NOTE_LENGTH:
        raise Invalid(f"A note has up to {MAX_NOTE_LENGTH} characters.", field="kind_note")
    return note


def _check_share(share: Decimal, field: str) -> None:
    if not share.is_finite() or -int(share.as_tuple().exponent) > MAX_DIGITS + 2:
        raise Invalid(
            f"Enter a percentage with up to {MAX_DIGITS} digits after the point.", field=field
        )


def _check_owner(owner_id: UUID | None) -> None:
    if owner_id is not None and membership_of(owner_id) is None:
        raise Invalid("Choose a member of this tenant as owner.", field="owner_id")


def _check_live(objective: Objective) -> None:
    if objective.retired_at is not None:
        at = objective.retired_at
        raise AlreadyRetired(f"{objective.name} was retired on {formatting.long_day(at)}.")


def _hours_a_week(definition: Mapping[str, Any]) -> int:
    hours = definition["service_hours"]
    return 7 * 1440 if hours is None else ServiceHours.parse(hours).minutes_a_week


def _live_indicator(indicator_id: UUID) -> Indicator:
    found = measurements.indicator(indicator_id)
    if found.retired_at is not None:
        raise Invalid(f"{found.name} is retired. Choose a live indicator.", field="indicator_id")
    return found


def _reserve_key(key: str | None, name: str) -> str:
    """Return the slug for a new objective. It locks out other new ones until the transaction ends.

    Raises NameTaken for a name of an active objective, or a slug of any objective.
    """
    lock_tenant("objectives")
    taken = set(session().execute(select(Objective.key, Objective.name, Objective.retired_at)))
    if len(taken) >= MAX_OBJECTIVES:
        raise Invalid(f"A tenant can have up to {MAX_OBJECTIVES:,} objectives.")
    if any(row.name == name and row.retired_at is None for row in taken):
        raise NameTaken(f"An objective {name} exists already. Choose another name.", field="name")
    return _free_key(key, name, {row.key for row in taken})


def _free_key(key: str | None, name: str, taken: set[str]) -> str:
    if key is not None:
        if not SLUG.match(key):
            raise Invalid(
                "A slug is 2 to 63 lowercase letters, digits and hyphens, such as claims-latency.",
                field="key",
            )
        if key in taken:
            raise NameTaken(f"An objective already has the slug {key}.", field="key")
        return key
    base = _slug(name)
    number = 1
    found = base
    while found in taken:
        number += 1
        found = f"{base[:58]}-{number}"
    return found


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    return slug if SLUG.match(slug) else f"objective-{slug}".strip("-")
