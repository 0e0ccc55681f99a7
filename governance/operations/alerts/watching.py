"""The objectives to evaluate, with the columns that the rules need.

watch(…)          all active objectives of a tenant: columns alone, since there may be thousands
watched_of(…)     one objective that the caller has read
moment_of(…)      a minute, with the exclusions that hide minutes before it
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import select

from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.intervals import MINUTE, Span
from governance.kernel.months import ZonePeriod
from governance.operations.alerts.burn_rules import (
    DEFAULT_RULES,
    BurnRule,
    lengths,
)
from governance.operations.alerts.rule_sets import read_rules
from governance.operations.maintenance.queries import ExclusionSpan
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.scoring import IndicatorKind
from governance.operations.objectives.exclusions import exclusions_in
from governance.operations.objectives.models import Objective
from governance.operations.objectives.service_hours import ServiceHours
from governance.operations.objectives.windows import Window, window

log = structlog.get_logger("alerts")


@dataclass(frozen=True, slots=True)
class Watched:
    """An objective as the evaluation needs it. `window` is in minutes."""

    id: UUID
    name: str
    version: int
    indicator_id: UUID
    system_id: UUID
    kind: IndicatorKind
    target: Fraction
    window: int
    rules: tuple[BurnRule, ...]
    hours: ServiceHours | None


@dataclass(frozen=True, slots=True)
class Moment:
    """The evaluated minute, with the exclusions that hide minutes before it."""

    at: datetime
    zones: Sequence[ZonePeriod]
    exclusions: Sequence[ExclusionSpan]


def watch(
    zones: Sequence[ZonePeriod], at: datetime, ids: Collection[UUID] | None = None
) -> list[Watched]:
    """Return the active objectives, or these. Reads only columns, since there may be thousands."""
    query = (
        select(
            Objective.id,
            Objective.name,
            Objective.number,
            Objective.target,
            Objective.window,
            Objective.window_days,
            Objective.rules,
            Objective.service_hours,
            Objective.indicator_id,
            Indicator.system_id,
            Indicator.kind,
        )
        .join(Indicator, Indicator.id == Objective.indicator_id)
        .where(Objective.tenant_id == current.actor().tenant_id, Objective.retired_at.is_(None))
        .order_by(Objective.id)
    )
    if ids is not None:
        query = query.where(Objective.id.in_(ids))
    spans: dict[tuple[str, int], int] = {}
    found = []
    for row in session().execute(query):
        its = (row.window, row.window_days)
        if its not in spans:
            spans[its] = window(row.window, row.window_days, zones, at).whole.minutes
        found.append(
            Watched(
                row.id,
                row.name,
                row.number,
                row.indicator_id,
                row.system_id,
                cast("IndicatorKind", row.kind),
                Fraction(row.target),
                spans[its],
                rules_of(row.rules, row.id),
                None if row.service_hours is None else ServiceHours.parse(row.service_hours),
            )
        )
    return found


def watched_of(objective: Objective, indicator: Indicator, its: Window) -> Watched:
    """Return an objective that the caller has read, retired or not, as Watched."""
    return Watched(
        objective.id,
        objective.name,
        objective.number,
        indicator.id,
        indicator.system_id,
        cast("IndicatorKind", indicator.kind),
        objective.target_share,
        its.whole.minutes,
        rules_of(objective.rules, objective.id),
        objective.hours,
    )


def rules_of(raw: Any, objective_id: UUID) -> tuple[BurnRule, ...]:
    """Return the rules of an objective, or the default ones if the stored ones are unreadable."""
    try:
        return read_rules(raw)
    except ValueError as error:
        log.warning("unreadable alert rules", objective=str(objective_id), reason=str(error))
        return DEFAULT_RULES


def moment_of(watched: Iterable[Watched], zones: Sequence[ZonePeriod], at: datetime) -> Moment:
    """Read the exclusions for the longest watched window."""
    longest = max(max(lengths(each.rules, each.window)) for each in watched)
    return Moment(at, zones, exclusions_in(Span(at - longest * MINUTE, at)))
