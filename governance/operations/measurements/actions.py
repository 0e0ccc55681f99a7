"""Define and retire indicators, and store their minutes.

define          an indicator of a system or feature; its definition is fixed once it has data
retire          an indicator, so that it accepts no more minutes; its history stays
store           minute counts, once per batch
rebuild         hours and days from the minutes
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import batched
from uuid import UUID

from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.intervals import Span, whole_minute
from governance.kernel.work.events import publish
from governance.operations.measurements import queries, rebuilding, storing
from governance.operations.measurements.events import MinutesStored
from governance.operations.measurements.models import KINDS, SOURCES, Indicator
from governance.operations.measurements.rollups import minute_number
from governance.operations.measurements.storing import MAX_COUNT, MinuteColumns, Written
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem

AS_DEFINED = (
    *("key", "name", "feature", "kind", "unit", "min_requests"),
    *("bound_unit", "good_side", "vendor", "source"),
)
DEFINED = action(
    "indicator.defined",
    "defined an indicator",
    target="Indicator",
    activity="create",
    severity="informational",
    fields="key name system feature kind unit min_requests floor bound bound_unit good_side vendor"
    " source",
)
RETIRED = action(
    "indicator.retired",
    "retired an indicator",
    target="Indicator",
    activity="delete",
    severity="low",
    fields="key name",
    shape="stop",
)
BACKFILLED = action(
    "indicator.minutes.backfilled",
    "added or corrected minutes of an indicator that are older than 48 hours",
    target="Indicator",
    activity="update",
    severity="low",
    fields="key added corrected first last",
)
REPAIRED = action(
    "indicator.rollups.corrected",
    "rebuilt the hours and days of an indicator, which differed from its minutes",
    target="Indicator",
    activity="update",
    severity="medium",
    fields="key rows first last",
)

SLUG = re.compile(r"[a-z][a-z0-9-]{1,62}[a-z0-9]\Z")
MAX_LATENESS = timedelta(hours=48)  # Maximum delay of an ordinary batch
MAX_BACKFILL_AGE = timedelta(days=400)  # Maximum age in a backfill
MAX_CLOCK_SKEW = timedelta(minutes=2)  # Maximum difference of clocks
MAX_BACKFILLED = 100  # Indicators per backfill, since each has an entry in the audit log
MAX_REASON_LENGTH = 2000
CHUNK = 20_000  # Rows per statement


class IndicatorRetired(DomainError):
    pass


class IndicatorSlugTaken(DomainError):
    pass


# ---- definitions


def define(
    *,
    key: str,
    name: str,
    system_id: UUID,
    kind: str,
    feature: str | None = None,
    unit: str = "requests",
    min_requests: int = 1,
    floor: Decimal | None = None,
    bound: Decimal | None = None,
    bound_unit: str | None = None,
    good_side: str = "at_most",
    vendor: str | None = None,
    source: str = "push",
) -> Indicator:
    """Define an indicator. `floor` and `bound` are exact decimals; a floor is a share from 0 to 1."""
    system = systems.system(system_id)
    _check_names(key, name, unit, system, feature)
    if kind not in KINDS:
        raise Invalid("Choose a kind.", field="kind")
    if source not in SOURCES:
        raise Invalid("Choose a source.", field="source")
    if kind == "downtime":
        _check_downtime(min_requests, floor)
    else:
        min_requests, floor = 1, None
    if kind == "threshold":
        _check_threshold(bound, bound_unit, good_side)
    else:
        bound, bound_unit, good_side = None, None, "at_most"
    made = Indicator(
        key=key,
        name=name.strip(),
        system_id=system.id,
        feature=feature or None,
        kind=kind,
        unit=unit.strip(),
        min_requests=min_requests,
        floor=floor,
        bound=bound,
        bound_unit=bound_unit,
        good_side=good_side,
        vendor=(vendor or "").strip() or None,
        source=source,
        created_at=clock.now(),
    )
    session().add(made)
    session().flush()
    recorded = {name: getattr(made, name) for name in AS_DEFINED}
    record(
        DEFINED,
        made,
        system=system.key,
        floor=_decimal(floor),
        bound=_decimal(bound),
        **recorded,
    )
    return made


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _check_names(key: str, name: str, unit: str, system: AISystem, feature: str | None) -> None:
    if not SLUG.match(key):
        raise Invalid(
            "A slug is 3 to 64 lowercase letters, digits and hyphens, such as"
            " claims-triage-availability.",
            field="key",
        )
    if not name.strip():
        raise Invalid("Enter a name.", field="name")
    if not unit.strip():
        raise Invalid("Enter what it counts, such as requests.", field="unit")
    if system.is_retired:
        raise Invalid(f"{system.name} is retired. Choose another AI system.", field="system_id")
    if feature and feature not in {each.key for each in systems.features(system.id)}:
        raise Invalid(f"{system.name} has no feature {feature}.", field="feature")
    taken = session().scalars(select(Indicator).where(Indicator.key == key)).one_or_none()
    if taken is not None:
        raise IndicatorSlugTaken(
            f"{taken.name} already has the slug {key}. Choose another.", field="key"
        )


def _check_downtime(min_requests: int, floor: Decimal | None) -> None:
    if not 1 <= min_requests <= MAX_COUNT:
        raise Invalid("Enter at least 1 request.", field="min_requests")
    if floor is not None and not (floor.is_finite() and 0 <= floor <= 1):
        raise Invalid("Enter a share from 0% to 100%.", field="floor")


def _check_threshold(bound: Decimal | None, bound_unit: str | None, good_side: str) -> None:
    if bound is None or not bound.is_finite():
        raise Invalid("Enter the bound that a good event keeps.", field="bound")
    if not (bound_unit or "").strip():
        raise Invalid("Enter the unit of the bound, such as s.", field="bound_unit")
    if good_side not in {"at_most", "more_than"}:
        raise Invalid("Choose which side of the bound is good.", field="good_side")


def retire(indicator: Indicator, *, reason: str) -> None:
    """Retire an indicator, so that it accepts no more minutes. Its counts stay."""
    if indicator.is_retired:
        raise IndicatorRetired(f"{indicator.name} is retired already.")
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    indicator.retired_at = clock.now()
    record(RETIRED, indicator, reason=reason.strip(), key=indicator.key, name=indicator.name)


# ---- minutes


@dataclass(frozen=True, slots=True)
class StoreResult:
    """Numbers of rows that were new, corrected another value, or were already known."""

    accepted: int
    corrected: int
    duplicate: int


def store(
    rows: Iterable[tuple[UUID, datetime, int, int]], *, backfill_reason: str | None = None
) -> StoreResult:
    """Store (indicator id, minute, good, total) and add them to their hours and days.

    If two rows have the same minute, the later one counts. Minutes of the last 48 hours need no
    reason; with `backfill_reason` they may be 400 days old. A transaction that stores several
    batches locks their indicators in order of id. Raises Invalid or IndicatorRetired, and stores
    nothing, when one row can't be stored; push_actions.py names each such row.
    """
    if backfill_reason is not None and not backfill_reason.strip():
        raise Invalid("Enter the reason of the backfill.", field="reason")
    is_backfill = backfill_reason is not None
    written, repeated, replaced = Written(), 0, 0
    for chunk in batched(rows, CHUNK, strict=False):
        columns = _columns(chunk, is_backfill=is_backfill)
        repeated, replaced = repeated + columns.repeated, replaced + columns.replaced
        written += write(columns, queries.lock(columns.ids), backfill_reason=backfill_reason)
    announce(written, is_backfill=is_backfill)
    return StoreResult(written.accepted, written.corrected + replaced, written.unchanged + repeated)


def _columns(
    rows: Iterable[tuple[UUID, datetime, int, int]], *, is_backfill: bool
) -> MinuteColumns:
    earliest, latest = window(is_backfill=is_backfill)
    columns = MinuteColumns()
    places: dict[UUID, int] = {}
    for indicator_id, at, good, total in rows:
        minute = _minute(at)
        if not (earliest <= minute <= latest and 0 <= good <= total <= MAX_COUNT):
            raise Invalid(f"The minute {at:%Y-%m-%d %H:%M} can't be stored: {good} of {total}.")
        if indicator_id not in places:
            places[indicator_id] = columns.place_of(indicator_id)
        columns.add(places[indicator_id], minute, good, total)
    return columns


def _minute(at: datetime) -> int:
    try:
        return minute_number(at)
    except ValueError as error:
        raise Invalid(f"{error}.") from None


def window(*, is_backfill: bool) -> tuple[int, int]:
    """Return the numbers of the earliest and the latest minute that may be stored now."""
    now = clock.now()
    late = MAX_BACKFILL_AGE if is_backfill else MAX_LATENESS
    return minute_number(whole_minute(now - late)), minute_number(
        whole_minute(now + MAX_CLOCK_SKEW)
    )


def write(
    columns: MinuteColumns, locked: dict[UUID, Indicator], *, backfill_reason: str | None
) -> Written:
    """Store checked minutes of these locked indicators. Record a backfill for each of them."""
    for indicator_id in columns.ids:
        indicator = locked.get(indicator_id)
        if indicator is None:
            raise Invalid("This indicator doesn't exist, or you don't have access to it.")
        if indicator.is_retired:
            raise IndicatorRetired(f"{indicator.name} is retired and takes no more minutes.")
    if backfill_reason is None:
        return storing.write(columns)
    if len(columns.ids) > MAX_BACKFILLED:
        raise Invalid(f"A backfill names at most {MAX_BACKFILLED} indicators. Send several.")
    return _backfill(columns, locked, backfill_reason.strip()[:MAX_REASON_LENGTH])


def _backfill(columns: MinuteColumns, locked: dict[UUID, Indicator], reason: str) -> Written:
    done = Written()
    for each in columns.of_each():
        indicator, written = locked[each.ids[0]], storing.write(each)
        if written.first is not None:
            record(
                BACKFILLED,
                indicator,
                reason=reason,
                key=indicator.key,
                added=written.accepted,
                corrected=written.corrected,
                first=written.first,
                last=written.last,
            )
        done += written
    return done


def announce(written: Written, *, is_backfill: bool) -> None:
    """Publish MinutesStored, unless the batch changed nothing."""
    if written.first is not None and written.last is not None:
        publish(MinutesStored(written.indicator_ids, written.first, written.last, is_backfill))


# ---- rollups


def rebuild(indicators: UUID | Collection[UUID] | None, span: Span) -> int:
    """Recount the hours and days of a span for one indicator, several, or all.

    Returns how many rows differed; each such indicator has an entry in the audit log.
    """
    if indicators is None:
        indicators = [each.id for each in queries.every_indicator()]
    locked = queries.lock([indicators] if isinstance(indicators, UUID) else indicators)
    differing = rebuilding.rebuild(sorted(locked), span)
    for each, rows in sorted(differing.items()):
        found = locked[each]
        record(REPAIRED, found, key=found.key, rows=rows, first=span.start, last=span.end)
    return sum(differing.values())
