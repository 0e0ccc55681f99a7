"""A rehearsal: the credits of a version over the last 13 months of measured minutes.

    rehearse(agreement, version)   reads the counts: three statements for any number of commitments

Nothing is written. Support times aren't rehearsed: incidents aren't measured in minutes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock
from governance.kernel.intervals import Span, difference, intersection, minutes
from governance.kernel.months import Month, ZonePeriod, month_of, month_span
from governance.operations.agreements import measured, queries
from governance.operations.agreements.credits import (
    CreditLine,
    MonthCredit,
    Part,
    credit_line,
    month_credit,
    read_bands,
)
from governance.operations.agreements.measured import Measured
from governance.operations.agreements.models import Agreement, AgreementVersion, Commitment
from governance.operations.maintenance import queries as maintenance
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.scoring import Score
from governance.operations.objectives.reading import service_spans

MONTHS = 13


@dataclass(frozen=True, slots=True)
class RehearsedLine:
    """One commitment in one month. `attained` is None when it is not determinable."""

    clause: int
    name: str
    target: Fraction
    score: Score | None
    attained: Fraction | None
    line: CreditLine

    @property
    def coverage(self) -> Fraction | None:
        return self.score.coverage if self.score else None


@dataclass(frozen=True, slots=True)
class RehearsedMonth:
    month: Month
    lines: Sequence[RehearsedLine]
    credit: MonthCredit

    @property
    def share(self) -> Fraction:
        """The credit as a share of the month's fee: the points of margin that it costs."""
        return Fraction(self.credit.credit, self.credit.fee) if self.credit.fee else Fraction(0)

    @property
    def undetermined(self) -> int:
        return sum(each.attained is None for each in self.lines)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The months, oldest first, and their sums in minor units of one currency."""

    currency: str
    months: Sequence[RehearsedMonth]

    @property
    def credit(self) -> int:
        return sum(each.credit.credit for each in self.months)

    @property
    def fee(self) -> int:
        return sum(each.credit.fee for each in self.months)

    @property
    def share(self) -> Fraction:
        return Fraction(self.credit, self.fee) if self.fee else Fraction(0)

    @property
    def missed(self) -> int:
        """The number of months with a credit."""
        return sum(each.credit.credit > 0 for each in self.months)

    @property
    def undetermined(self) -> int:
        return sum(each.undetermined for each in self.months)


def last_months(zones: Sequence[ZonePeriod]) -> list[Month]:
    """Return the 13 months before the current one, oldest first."""
    present = month_of(zones, clock.now())
    return [present.plus(n - MONTHS) for n in range(MONTHS)]


def rehearse(version: AgreementVersion, *, terms: Mapping[str, Any] | None = None) -> Rehearsal:
    """Score the version's commitments over the last 13 months, as if it had been in force.

    `terms` replaces bands and cap: {"bands": commitment id → bands, "credit_cap": text}.
    """
    zones = zone_periods()
    months = last_months(zones)
    spans = {month: month_span(zones, month) for month in months}
    commitments = queries.parts(version.id).commitments
    scores = _scores(version, commitments, list(spans.values()), zones)
    changed = terms or {}
    cap = Fraction(changed.get("credit_cap", version.credit_cap))
    found = []
    for month, span in spans.items():
        lines = [
            _line(each, scores.get((each.clause, span)), version, span, changed)
            for each in commitments
        ]
        part = Part(span.minutes, version.monthly_fee, cap)
        credit = month_credit([each.line for each in lines], [part], span.minutes)
        found.append(RehearsedMonth(month, lines, credit))
    return Rehearsal(version.currency, found)


def _line(
    each: Commitment,
    scored: tuple[Measured, Score] | None,
    version: AgreementVersion,
    span: Span,
    changed: Mapping[str, Any],
) -> RehearsedLine:
    what, score = scored or (None, None)
    attained = None
    if score is not None and score.is_determinable(Fraction(version.minimum_coverage)):
        attained = score.attained
    bands = read_bands(changed.get("bands", {}).get(each.id, each.bands))
    line = credit_line(
        attained, bands, each.fee_part, part_minutes=span.minutes, month_minutes=span.minutes
    )
    name = what.name if what else "no indicator"
    return RehearsedLine(each.clause, name, Fraction(each.target), score, attained, line)


def _scores(
    version: AgreementVersion,
    commitments: Sequence[Commitment],
    spans: Sequence[Span],
    zones: Sequence[ZonePeriod],
) -> dict[tuple[int, Span], tuple[Measured, Score]]:
    """Map (clause, month) to its measurement. Reads all counts in one statement."""
    what = measured.of(commitments)
    whole = Span(spans[0].start, spans[-1].end)
    excluded = maintenance.approved_in(whole, set(version.excluded_categories))
    windows, places = [], []
    for each in commitments:
        its = what.get(each.id)
        if its is None:
            continue
        hidden = [
            found.span
            for found in maintenance.expand(
                excluded,
                whole,
                system_id=its.indicator.system_id,
                indicator_id=its.indicator.id,
                notice_hours=version.maintenance_notice_hours,
            )
        ]
        for span in spans:
            service = service_spans(its.objective, zones, span) if its.objective else [span]
            counted = difference(service, hidden)
            windows.append((its.indicator.id, counted))
            hours, out = minutes(service), minutes(intersection(service, hidden))
            places.append(((each.clause, span), its, hours, out))
    counts = measurements.counts_of_many(windows) if windows else []
    return {
        place: (its, Score(its.indicator.rule.kind, hours, out, counted))
        for (place, its, hours, out), counted in zip(places, counts, strict=True)
    }


def chosen_version(agreement: Agreement) -> AgreementVersion | None:
    """Return the open version that the acting side may see, or else the newest accepted one."""
    found = queries.open_version(agreement.id)
    if found is not None and queries.is_visible(found):
        return found
    accepted = queries.accepted_versions([agreement.id])[agreement.id]
    return accepted[-1] if accepted else None
