"""Objectives, their versions, and their scores from minute counts.

objective, active_objectives, …     rows
score_of, scores                    the window that ends now, or at an instant
readings                            the data of each objective in a list; see reading.py

An objective is scored by its current definition. `scores` and `readings` take three statements for
any number of objectives: horizons, exclusions, counts.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from governance.foundation.logbook.log_health import recall
from governance.kernel import clock
from governance.kernel.data.db import among, find, session
from governance.kernel.intervals import Span
from governance.kernel.months import ZonePeriod
from governance.operations.maintenance.queries import ExclusionSpan
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.scoring import Score
from governance.operations.objectives.exclusions import applying, exclusions_in
from governance.operations.objectives.horizons import Horizons, horizons
from governance.operations.objectives.models import Objective, ObjectiveVersion
from governance.operations.objectives.reading import (
    WEEK,
    Plan,
    PlannedSpans,
    Reading,
    planned_spans,
)
from governance.operations.objectives.windows import Window, minute_of, window

LONGEST_MONTH = 33  # Days, including a change of the time zone

# ---- rows


def objective(objective_id: UUID, *, lock: bool = False) -> Objective:
    """Return the objective, retired or not. Raises NotFound for another tenant's."""
    return find(Objective, objective_id, what="objective", lock=lock)


def active_objectives() -> Sequence[Objective]:
    """Return the objectives that are not retired, by name."""
    query = select(Objective).where(Objective.retired_at.is_(None))
    return session().scalars(query.order_by(Objective.name, Objective.id)).all()


def objectives_by_id(ids: Collection[UUID]) -> dict[UUID, Objective]:
    """Return these objectives, including retired ones, in one statement."""
    found = session().scalars(select(Objective).where(among(Objective.id, ids)))
    return {each.id: each for each in found}


def objectives_with_indicators(*, retired: bool = False) -> Sequence[tuple[Objective, Indicator]]:
    """Return the active objectives, or the retired ones, with their indicators.

    Runs one statement, or none while the tenant's log shows no change. The rows belong to no
    session, so they are read-only.
    """
    return recall(("objectives", retired), lambda: _definitions(retired=retired))


def _definitions(*, retired: bool) -> list[tuple[Objective, Indicator]]:
    query = select(Objective, Indicator).join(Indicator, Indicator.id == Objective.indicator_id)
    state = Objective.retired_at.is_not(None) if retired else Objective.retired_at.is_(None)
    rows = session().execute(query.where(state).order_by(Objective.name, Objective.id)).all()
    for each in {one for row in rows for one in row}:
        session().expunge(each)
    return [(row[0], row[1]) for row in rows]


def indicators_of(objectives: Collection[Objective]) -> dict[UUID, Indicator]:
    """Return the indicators of these objectives by id, in one statement."""
    wanted = frozenset(each.indicator_id for each in objectives)
    return _indicators(wanted) if wanted else {}


def _indicators(ids: frozenset[UUID]) -> dict[UUID, Indicator]:
    found = session().scalars(select(Indicator).where(among(Indicator.id, ids)))
    return {each.id: each for each in found}


def versions(objective_id: UUID) -> Sequence[ObjectiveVersion]:
    """Return all versions, newest first."""
    query = select(ObjectiveVersion).where(ObjectiveVersion.objective_id == objective_id)
    return session().scalars(query.order_by(ObjectiveVersion.number.desc())).all()


def version_at(objective_id: UUID, at: datetime) -> ObjectiveVersion | None:
    """Return the version that was current at that instant, or None before the first one."""
    query = select(ObjectiveVersion).where(
        ObjectiveVersion.objective_id == objective_id, ObjectiveVersion.at <= at
    )
    return session().scalars(query.order_by(ObjectiveVersion.number.desc()).limit(1)).first()


# ---- scores


def score_of(objective: Objective, at: datetime | None = None) -> Score:
    """Return the score of the window that ends at `at`, by default now."""
    return scores([objective], at)[objective.id]


def scores(objectives: Collection[Objective], at: datetime | None = None) -> dict[UUID, Score]:
    """Return the score of each objective by its id. Runs three statements for all of them."""
    return {each.objective.id: each.score for each in readings(objectives, at=at)}


def readings(
    objectives: Collection[Objective],
    *,
    at: datetime | None = None,
    indicators: Mapping[UUID, Indicator] | None = None,
) -> list[Reading]:
    """Return window, score and last 24 hours of each objective, in the given order."""
    return [reading for _plan, reading in planned_readings(objectives, at, indicators)]


def planned_readings(
    objectives: Collection[Objective],
    at: datetime | None = None,
    indicators: Mapping[UUID, Indicator] | None = None,
) -> list[tuple[Plan, Reading]]:
    """Return the readings with the spans that were counted."""
    plans, _exclusions = plans_of(objectives, at, indicators)
    counts = measurements.counts_of_many(
        [(each.indicator.id, spans) for each in plans for spans in each.spans[:3]]
    )
    return [(each, each.reading(*counts[3 * n : 3 * n + 3])) for n, each in enumerate(plans)]


def plans_of(
    objectives: Collection[Objective],
    at: datetime | None = None,
    indicators: Mapping[UUID, Indicator] | None = None,
    begins: Horizons | None = None,
) -> tuple[list[Plan], Sequence[ExclusionSpan]]:
    """Return the plan of each objective, and the exclusions of their windows.

    `indicators` and `begins` are read if the caller doesn't have them.
    """
    if not objectives:
        return [], []
    now = minute_of(at or clock.now())
    known = indicators if indicators is not None else indicators_of(objectives)
    longest = max(LONGEST_MONTH, *(each.window_days for each in objectives))
    begins = begins or horizons(
        {each.indicator_id for each in objectives}, now - timedelta(days=longest)
    )
    windows = _windows(objectives, begins.zones, now)
    oldest = min(now - WEEK, *(each.so_far.start for each in windows))
    exclusions = exclusions_in(Span(oldest, now))
    made: dict[Hashable, PlannedSpans] = {}  # Most objectives of a list share their spans
    plans = []
    for each, its in zip(objectives, windows, strict=True):
        indicator = known[each.indicator_id]
        first = begins.first.get(indicator.id)
        mine = applying(exclusions, system_id=indicator.system_id, indicator_id=indicator.id)
        hidden = tuple(one.span for one in mine)
        late = first if first is not None and first > its.so_far.start else None
        key = (id(its), late, repr(each.service_hours), hidden)
        if key not in made:
            made[key] = planned_spans(
                each.hours, its, first=late, zones=begins.zones, hidden=hidden
            )
        plans.append(Plan(each, indicator, its, first, made[key]))
    return plans, exclusions


def _windows(
    objectives: Collection[Objective], zones: Sequence[ZonePeriod], now: datetime
) -> list[Window]:
    kinds = {(each.window, each.window_days) for each in objectives}
    known = {kind: window(*kind, zones, now) for kind in kinds}
    return [known[each.window, each.window_days] for each in objectives]
