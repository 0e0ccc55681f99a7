"""The effect of an exclusion on measurements: hidden minutes, and losses in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from governance.kernel import clock
from governance.kernel.formatting import plural, thousands
from governance.kernel.intervals import Span, intersection, minutes, whole_minute
from governance.operations.maintenance.recurrence import Recurrence, occurrences
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.scoring import Counts, IndicatorKind

MAX_INDICATORS = 50


@dataclass(frozen=True, slots=True)
class HiddenMinutes:
    """The minutes of one indicator that are hidden so far."""

    indicator_id: UUID
    name: str
    kind: str
    unit: str
    minutes: int  # Minutes of the exclusion up to now
    counts: Counts

    @property
    def known_minutes(self) -> int:
        return self.counts.minutes

    @property
    def lost(self) -> int:
        return self.counts.lost(cast("IndicatorKind", self.kind))

    @property
    def lost_words(self) -> str:
        """Return "4 minutes" or "120 requests"."""
        if self.kind == "downtime":
            return plural(self.lost, "minute")
        return f"{thousands(self.lost)} {self.unit}"


def of(
    series: Recurrence, system_id: UUID | None, indicator_id: UUID | None
) -> Sequence[HiddenMinutes]:
    """Return the hidden minutes of each active indicator in the series' scope up to now.

    Runs two statements. At most MAX_INDICATORS are counted. Empty if the series starts later.
    """
    now = whole_minute(clock.now())
    spans = _past(series, now)
    if not spans:
        return []
    found: Sequence[Indicator] = (
        [measurements.indicator(indicator_id)]
        if indicator_id is not None
        else measurements.live_indicators(system_id)[:MAX_INDICATORS]
    )
    counted = measurements.counts_of_many([(each.id, spans) for each in found]) if found else []
    length = minutes(spans)
    return [
        HiddenMinutes(each.id, each.name, each.kind, each.unit, length, counts)
        for each, counts in zip(found, counted, strict=True)
    ]


def _past(series: Recurrence, now: datetime) -> list[Span]:
    ended = []
    for each in occurrences(series):
        if each.start >= now:
            break
        ended.append(each)
    return intersection(ended, [Span(series.first.start, now)])
