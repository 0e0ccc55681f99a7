"""Data of an objective's page: budget over the window, losses, exclusions, gaps.

One statement reads all counts: those of the window, of each part of it between days and gaps, and
of each exclusion.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from markupsafe import Markup

from governance.kernel.formatting import plural, tenant_zone
from governance.kernel.intervals import MINUTE, Span, difference, intersection, minutes, union
from governance.operations.maintenance.queries import ExclusionSpan
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.scoring import Counts
from governance.operations.objectives import charts, figures
from governance.operations.objectives.exclusions import applying
from governance.operations.objectives.ports import IncidentMark, incidents_of
from governance.operations.objectives.reading import Plan, Reading
from governance.operations.objectives.windows import days_of

MAX_EXCLUSIONS, MAX_GAPS = 50, 8
MAX_DAYS = 62  # Days of the longest window drawn by day; a longer one is drawn by week
MAX_MARKS = 3  # Newest incidents in the chart
VISIBLE_GAPS = 40  # Longest gaps in the chart
NARROWEST = Fraction(1, 1000)  # Share of the window of the smallest visible gap


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the window between two days or gaps; `counted` outside exclusions."""

    span: Span
    day: int
    counted: Counts
    hidden: Counts


@dataclass(frozen=True, slots=True)
class Excluded:
    """One occurrence of an exclusion: its minutes in the window, and the losses in them."""

    occurrence: ExclusionSpan
    minutes: int
    lost: int


@dataclass(frozen=True, slots=True)
class ObjectivePage:
    """All data that the page of an objective (screen 12) shows."""

    reading: Reading
    plan: Plan
    days: Sequence[Span]
    pieces: Sequence[Piece]
    exclusions: Sequence[Excluded]
    gaps: Sequence[Span]
    incidents: Sequence[IncidentMark] = ()

    @property
    def no_data(self) -> int:
        return minutes(self.gaps)

    @property
    def longest_gaps(self) -> list[Span]:
        """The longest gaps, in order of time."""
        longest = sorted(self.gaps, key=lambda gap: -gap.minutes)[:MAX_GAPS]
        return sorted(longest)

    @property
    def shorter_gaps(self) -> tuple[int, int]:
        """(how many gaps are not listed, their minutes)."""
        rest = sorted(self.gaps, key=lambda gap: -gap.minutes)[MAX_GAPS:]
        return len(rest), minutes(rest)

    @property
    def hidden_lost(self) -> int:
        return self.reading.score.hidden.lost(self.reading.kind)

    # ---- charts

    @property
    def losses(self) -> list[charts.Loss]:
        """Losses by day; the last days that have half of all losses are marked."""
        kind = self.reading.kind
        gap_days = {n for n, day in enumerate(self.days) if intersection([day], self.gaps)}
        lost, hidden = [0] * len(self.days), [0] * len(self.days)
        measured = set[int]()
        for piece in self.pieces:
            if piece.counted.minutes or piece.hidden.minutes:
                measured.add(piece.day)
            lost[piece.day] += piece.counted.lost(kind)
            hidden[piece.day] += piece.hidden.lost(kind)
        marked = self._recent(lost)
        return [
            charts.Loss(
                day.start,
                figures.day(day.start),
                lost[n],
                hidden[n],
                n in gap_days,
                n >= len(lost) - marked,
                n in measured,
            )
            for n, day in enumerate(self.days)
        ]

    @staticmethod
    def _recent(lost: Sequence[int]) -> int:
        """Return how many last days have half of all losses; 0 if over a third of the days."""
        total, found = sum(lost), 0
        if not total:
            return 0
        for number in range(1, len(lost) // 3 + 1):
            found += lost[-number]
            if found * 2 >= total:
                return number
        return 0

    @property
    def lost_title(self) -> str:
        """The conclusion above the burn-down."""
        losses = self.losses
        total, marked = sum(each.lost for each in losses), [e for e in losses if e.is_marked]
        unit = self.lost_noun
        if not total:
            return f"No {unit} lost in the window"
        if marked and self.is_by_day and len(marked) < len(losses):
            recent = sum(each.lost for each in marked)
            last = (
                "last day" if len(marked) == 1 else f"last {figures.number_word(len(marked))} days"
            )
            fell = "fell" if recent > 1 else "falls"
            return f"{recent:,} of {total:,} lost {unit} {fell} in the {last}"
        return f"{total:,} {unit} lost in {self.window_words}"

    @property
    def days_title(self) -> str:
        """The conclusion above the bars."""
        worst = max(self.losses, key=lambda each: each.lost, default=None)
        if worst is None or not worst.lost:
            return f"No {self.lost_noun} lost"
        when = worst.label if self.is_by_day else f"The week from {worst.label}"
        return f"{when} lost {worst.lost:,} {self.lost_noun}, the most in the window"

    @property
    def is_by_day(self) -> bool:
        return len(self.days) < 2 or self.days[-1].minutes <= 2 * 1440  # noqa: PLR2004 - a day

    @property
    def lost_noun(self) -> str:
        return "minutes" if self.reading.kind == "downtime" else self.reading.indicator.unit

    @property
    def window_words(self) -> str:
        objective = self.reading.objective
        return (
            "the month so far"
            if objective.window == "calendar"
            else plural(objective.window_days, "day")
        )

    def burn_down(self) -> Markup | None:
        """Draw the budget over the window, or return None if it is not determinable."""
        reading = self.reading
        allowed = reading.budget.allowed
        if not reading.is_determinable or not allowed:
            return None
        whole = reading.window.whole
        narrowest = MINUTE * int(whole.minutes * NARROWEST)
        seen = [gap for gap in self.gaps if gap.end - gap.start >= narrowest]
        seen = sorted(sorted(seen, key=lambda gap: -gap.minutes)[:VISIBLE_GAPS])
        data = charts.BurnDown(
            whole,
            reading.at,
            self._runs(allowed, seen),
            seen,
            reading.budget.left / allowed,
            reading.gone_at,
            list(self._marks(allowed)),
        )
        return charts.burn_down(
            data, self._ticks(whole), f"Budget left of {reading.objective.name}"
        )

    def _marks(
        self, allowed: Fraction
    ) -> Iterator[tuple[str, datetime, datetime, Fraction, Fraction]]:
        """Yield the incidents that began in the window, with the budget left before and after."""
        window = self.reading.window.so_far
        for each in self.incidents[-MAX_MARKS:]:
            end = min(each.end or window.end, window.end)
            if window.start <= each.start < end:
                minutes_of_it = max(1, (end - each.start) // MINUTE)
                length = figures.length(minutes_of_it) if each.end else "open"
                yield (
                    f"{each.ref}, {length}",
                    each.start,
                    end,
                    self._left_at(each.start, allowed),
                    self._left_at(end, allowed),
                )

    def _left_at(self, at: datetime, allowed: Fraction) -> Fraction:
        """Return the share left; within a part, losses count as even, like the line."""
        lost = Fraction(0)
        for piece in self.pieces:
            if piece.span.start >= at:
                break
            seconds = int((min(at, piece.span.end) - piece.span.start).total_seconds())
            share = Fraction(seconds, 60 * max(piece.span.minutes, 1))
            lost += piece.counted.lost(self.reading.kind) * share
        return 1 - lost / allowed

    def _runs(
        self, allowed: Fraction, seen: Sequence[Span]
    ) -> list[list[tuple[datetime, Fraction]]]:
        kind, lost = self.reading.kind, 0
        runs: list[list[tuple[datetime, Fraction]]] = [[]]
        for piece in self.pieces:
            if piece.span in seen:
                runs.append([])
                continue
            if not runs[-1]:
                runs[-1].append((piece.span.start, 1 - lost / allowed))
            lost += piece.counted.lost(kind)
            runs[-1].append((piece.span.end, 1 - lost / allowed))
        return runs

    def _ticks(self, whole: Span) -> list[tuple[datetime, str]]:
        step = max((whole.end - whole.start) / 4.3, timedelta(days=1))
        found: list[tuple[datetime, str]] = []
        at = whole.start
        while at < whole.end and len(found) < 5:  # noqa: PLR2004 - labels that fit
            found.append((at, figures.day(at)))
            at += timedelta(days=round(step / timedelta(days=1)))
        return found

    def lost_by_day(self) -> Markup:
        unit = self.lost_noun
        name = self.reading.objective.name
        return charts.lost_by_day(self.losses, f"{name}: {unit} lost by day")


def objective_page(plan: Plan, found: Sequence[ExclusionSpan]) -> ObjectivePage:
    """Read gaps and counts of an objective with a plan. Runs two statements."""
    indicator = plan.indicator
    window = plan.window.so_far
    span = Span(min(plan.first or window.end, window.end), window.end)
    span = Span(max(span.start, window.start), window.end)
    known = measurements.known_spans(indicator.id, span) if span.minutes else []
    gaps = difference(plan.spans.counted, known)
    days = days_of(window, tenant_zone(), step=1 if window.minutes <= MAX_DAYS * 1440 else 7)
    cuts = _pieces(days, gaps)
    mine = applying(found, system_id=indicator.system_id, indicator_id=indicator.id)
    service = union([*plan.spans.counted, *plan.spans.hidden])
    inside = [(each, intersection([each.span], service)) for each in mine]
    inside = [(each, spans) for each, spans in inside if spans][-MAX_EXCLUSIONS:]
    asked = [plan.spans.counted, plan.spans.hidden, plan.spans.last_day]
    for cut, _day in cuts:
        asked += [intersection([cut], plan.spans.counted), intersection([cut], plan.spans.hidden)]
    asked += [spans for _each, spans in inside]
    counts = measurements.counts_of_many([(indicator.id, spans) for spans in asked])
    reading = plan.reading(counts[0], counts[1], counts[2])
    pieces = [
        Piece(cut, day, counts[3 + 2 * n], counts[4 + 2 * n]) for n, (cut, day) in enumerate(cuts)
    ]
    rest = counts[3 + 2 * len(cuts) :]
    exclusions = [
        Excluded(each, minutes(spans), its.lost(reading.kind))
        for (each, spans), its in zip(inside, rest, strict=True)
    ]
    found_incidents = incidents_of()(indicator.system_id, window)
    return ObjectivePage(reading, plan, days, pieces, exclusions, gaps, found_incidents)


def _pieces(days: Sequence[Span], gaps: Sequence[Span]) -> list[tuple[Span, int]]:
    """Return the parts between days and gaps, each with the number of its day."""
    longest = sorted(gaps, key=lambda gap: -gap.minutes)[:VISIBLE_GAPS]
    found: list[tuple[Span, int]] = []
    for number, day in enumerate(days):
        holes = intersection([day], longest)
        parts = sorted([*holes, *difference([day], holes)])
        found += [(part, number) for part in parts]
    return found
