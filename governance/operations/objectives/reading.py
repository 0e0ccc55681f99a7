"""An objective at one instant, from minute counts: score, budget, pace and state.

Pure. A Plan names the spans to count; with their counts it becomes a Reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Literal, NamedTuple, cast

from governance.kernel.intervals import Span, difference, intersection
from governance.kernel.months import ZonePeriod
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.scoring import (
    Budget,
    Counts,
    IndicatorKind,
    Score,
    budget,
    burn_rate,
)
from governance.operations.objectives.models import Definition, Objective
from governance.operations.objectives.pace import gone_at
from governance.operations.objectives.service_hours import ServiceHours
from governance.operations.objectives.windows import Window

DAY, WEEK = timedelta(days=1), timedelta(days=7)
MIN_EVENTS_A_DAY = 100  # Below it, a 24-hour pace isn't reliable (design: low traffic)

type State = Literal["unknown", "overspent", "quiet", "runs_out", "filling", "within"]


def service_spans(
    objective: Definition, zones: Sequence[ZonePeriod], within: Span
) -> Sequence[Span]:
    """Return the minutes inside the objective's service hours, or all minutes without any."""
    hours = objective.hours
    return [within] if hours is None else hours.spans(zones, within)


class PlannedSpans(NamedTuple):
    """The minutes to count; many objectives of a list share them.

    counted    in the window, inside service hours and outside exclusions
    hidden     in the window, inside service hours and exclusions
    last_day   in the last 24 hours, as `counted`
    last_week  in the last seven days, as `counted`; for the chart of a list
    """

    counted: Sequence[Span]
    hidden: Sequence[Span]
    last_day: Sequence[Span]
    last_week: Sequence[Span]


def planned_spans(
    hours: ServiceHours | None,
    window: Window,
    *,
    first: datetime | None,
    zones: Sequence[ZonePeriod],
    hidden: Sequence[Span],
) -> PlannedSpans:
    """Return the minutes to count.

    `first` is the indicator's first minute: time before it is not expected to have data. `hidden`
    are the spans of exclusions that apply to the indicator.
    """
    span, end = window.so_far, window.so_far.end
    if first is not None and first > span.start:
        span = Span(min(first, end), end)
    around = Span(min(span.start, end - WEEK), end)
    service = [around] if hours is None else hours.spans(zones, around)
    visible = difference(service, hidden)
    in_window = intersection(service, [span])
    return PlannedSpans(
        difference(in_window, hidden),
        intersection(in_window, hidden),
        intersection(visible, [Span(end - DAY, end)]),
        intersection(visible, [Span(end - WEEK, end)]),
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """The spans to count for an objective."""

    objective: Objective
    indicator: Indicator
    window: Window
    first: datetime | None
    spans: PlannedSpans

    def reading(self, counted: Counts, hidden: Counts, last_day: Counts) -> "Reading":
        """Convert the counts to a reading."""
        excluded = sum(each.minutes for each in self.spans.hidden)
        expected = sum(each.minutes for each in self.spans.counted)
        score = Score(
            cast("IndicatorKind", self.indicator.kind),
            expected + excluded,
            excluded,
            counted,
            hidden,
        )
        return Reading(self.objective, self.indicator, self.window, self.first, score, last_day)


@dataclass(frozen=True)
class Reading:
    """An objective at the end of its window. `last_day` has the counts of the last 24 hours."""

    objective: Objective
    indicator: Indicator
    window: Window
    first: datetime | None
    score: Score
    last_day: Counts

    @property
    def kind(self) -> IndicatorKind:
        return self.score.kind

    @property
    def at(self) -> datetime:
        return self.window.so_far.end

    @cached_property
    def budget(self) -> Budget:
        return budget(self.score, self.objective.target_share)

    @cached_property
    def left_share(self) -> Fraction | None:
        """Share of the budget that is left; None if it is not determinable."""
        return self.budget.left_share if self.is_determinable else None

    @cached_property
    def is_determinable(self) -> bool:
        return self.score.is_determinable(self.objective.minimum_coverage_share)

    @property
    def is_filling(self) -> bool:
        """True if data begins after the window does."""
        return self.first is not None and self.first > self.window.so_far.start

    @property
    def has_traffic(self) -> bool:
        """True if the last 24 hours had enough events to judge a pace."""
        return self.last_day.total >= MIN_EVENTS_A_DAY

    @cached_property
    def burn(self) -> Fraction | None:
        """Burn rate of the last 24 hours, with any traffic; None without data."""
        return burn_rate(self.last_day, self.kind, self.objective.target_share)

    @cached_property
    def gone_at(self) -> datetime | None:
        """The time of exhaustion at the pace of the last 24 hours; None: not in this window."""
        if not self.is_determinable or not self.has_traffic:
            return None
        found = gone_at(
            self.budget.left,
            self.last_day,
            self.kind,
            self.objective.target_share,
            now=self.at,
            month=self.window.whole if self.objective.window == "calendar" else None,
        )
        if found is None or self.objective.window == "calendar":
            return found
        return found if found - self.at <= timedelta(days=self.objective.window_days) / 2 else None

    @cached_property
    def state(self) -> State:
        """The most important state, without alerts, which the alerts feature adds."""
        if not self.is_determinable:
            return "unknown"
        if self.budget.left <= 0 < self.budget.lost:
            return "overspent"
        if not self.has_traffic:
            return "quiet"
        if self.gone_at is not None:
            return "runs_out"
        return "filling" if self.is_filling else "within"
