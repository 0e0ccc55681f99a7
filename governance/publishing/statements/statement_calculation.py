"""The calculation of a statement from facts and minute counts: attainment, bands, cap, credit.

Pure: JSON in, JSON out, exact arithmetic. `governance verify-statement` runs the same function.

    calculate(facts, tallies) -> result

`facts` (docs/statement-format.md) has the month's span, the versions of the agreement in force by
span with their accepted terms, the indicators, exclusions, and support results. `tallies` has the
minute counts by the indicator's key. Each minute is scored under the version in force at that
minute. Shares in the result are text such as "43581/44076", not reduced, so that both numbers can
be found again. Money is in minor units.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, cast

from governance.kernel.intervals import Span, difference, intersection, minutes, union
from governance.operations.agreements.credits import (
    Band,
    CreditLine,
    Part,
    band_for,
    credit_line,
    month_credit,
    read_bands,
    read_share,
)
from governance.operations.measurements.scoring import (
    Counts,
    IndicatorKind,
    IndicatorRule,
    Score,
    budget,
)
from governance.publishing.statements.minute_counts import Tally

MET, MISSED, NOT_DETERMINABLE = "met", "missed", "not determinable"
DISPUTE = "dispute"  # Category of minutes that an accepted dispute leaves out.


class MixedCurrencies(ValueError):
    """An error for versions of one month in different currencies, whose credits have no sum."""


def read_instant(text: str) -> datetime:
    """Read "2026-10-09T06:14:00Z". Raises ValueError without a time zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return at


def read_span(pair: Sequence[str]) -> Span:
    """Read ["…Z", "…Z"]."""
    start, end = pair
    return Span(read_instant(start), read_instant(end))


def rule_of(indicator: Mapping[str, Any]) -> IndicatorRule:
    """Return the rule by which an indicator of the facts reads its minutes."""
    return IndicatorRule(
        cast("IndicatorKind", indicator["kind"]),
        indicator["min_requests"],
        read_share(indicator["floor"]),
    )


def calculate(facts: Mapping[str, Any], tallies: Mapping[str, Tally]) -> dict[str, Any]:
    """Return the statement of these facts.

    Raises MixedCurrencies, or ValueError for a malformed fact.
    """
    month = read_span(facts["span"])
    kinds = {each["key"]: each["kind"] for each in facts["indicators"]}
    versions = facts["versions"]
    if len({each["terms"]["currency"] for each in versions}) > 1:
        raise MixedCurrencies("The versions of this month are in different currencies.")
    lines: list[dict[str, Any]] = []
    dues: list[CreditLine] = []
    parts: list[Part] = []
    for version in versions:
        span = read_span([version["from"], version["to"]])
        terms = version["terms"]
        parts.append(
            Part(span.minutes, terms["monthly_fee"], read_share(terms["credit_cap"])),
        )
        scored = [
            *_commitments(facts, version, span, month, tallies, kinds),
            *_support(facts, version, span, month),
        ]
        lines += [line for line, _ in scored]
        dues += [due for _, due in scored]
    total = month_credit(dues, parts, month.minutes)
    return {
        "minutes": month.minutes,
        "currency": versions[-1]["terms"]["currency"] if versions else "",
        "fee": total.fee,
        "cap": total.cap,
        "lines_total": total.lines,
        "over_cap": total.over_cap,
        "credit": total.credit,
        **_outcomes(lines),
        "lines": lines,
    }


def _outcomes(lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count the missed, met and undetermined commitments. The worst part of each decides."""
    by_name: dict[str, set[str]] = {}
    for line in lines:
        by_name.setdefault(line["commitment"], set()).add(line["result"])
    missed = sum(MISSED in found for found in by_name.values())
    unsure = sum(
        NOT_DETERMINABLE in found - {MISSED} and MISSED not in found for found in by_name.values()
    )
    return {
        "commitments": len(by_name),
        "missed": missed,
        "met": len(by_name) - missed - unsure,
        "not_determinable": unsure,
    }


def _commitments(
    facts: Mapping[str, Any],
    version: Mapping[str, Any],
    span: Span,
    month: Span,
    tallies: Mapping[str, Tally],
    kinds: Mapping[str, IndicatorKind],
) -> Iterator[tuple[dict[str, Any], CreditLine]]:
    terms = version["terms"]
    for promise in terms["commitments"]:
        measured = version["measured"][str(promise["clause"])]
        keys = measured["indicators"]
        kind = kinds[keys[0]] if keys else "ratio"
        hours = None if measured["hours"] is None else [read_span(h) for h in measured["hours"]]
        scores = [
            _score(tallies[key], kind, span, hours, exclusion_spans(facts, version, key))
            for key in keys
        ]
        score = _together(scores, kind)
        yield _line(version, span, month, promise, measured, score)


def exclusion_spans(facts: Mapping[str, Any], version: Mapping[str, Any], key: str) -> list[Span]:
    """Return the minutes that exclusions hide from this indicator under this version."""
    return union(
        read_span([each["from"], each["to"]])
        for each in facts["exclusions"]
        if key in each["indicators"] and why_not_counted(each, version["terms"]) is None
    )


def why_not_counted(exclusion: Mapping[str, Any], terms: Mapping[str, Any]) -> str | None:
    """Return why an exclusion hides no minute under these terms, as a sentence. None if it does."""
    if exclusion["overruled_by"]:
        return f"Dispute {exclusion['overruled_by']} was accepted."
    category = exclusion["category"]
    if category == DISPUTE:
        return None
    if category not in terms["excluded_categories"]:
        return f"The agreement doesn't exclude {category.replace('_', ' ')}."
    notice = terms["maintenance_notice_hours"]
    if category == "maintenance" and notice:
        start, announced = read_instant(exclusion["from"]), exclusion["announced_at"]
        if announced is None:
            return "It was never announced."
        ahead = start - read_instant(announced)
        if ahead < timedelta(hours=notice):
            hours = max(0, ahead // timedelta(hours=1))
            return f"It was announced {hours} hours ahead; the agreement asks for {notice}."
    return None


def _score(
    tally: Tally, kind: IndicatorKind, span: Span, hours: list[Span] | None, hidden: list[Span]
) -> Score:
    window = [span] if hours is None else intersection([span], hours)
    excluded = intersection(window, hidden)
    return Score(
        kind,
        minutes(window),
        minutes(excluded),
        tally.counts(difference(window, excluded)),
        tally.counts(excluded),
    )


def _together(scores: Sequence[Score], kind: IndicatorKind) -> Score:
    """Return one score over several indicators, from the sums of their windows and counts."""
    return Score(
        kind,
        sum(each.window for each in scores),
        sum(each.excluded for each in scores),
        sum((each.counted for each in scores), Counts()),
        sum((each.hidden for each in scores), Counts()),
    )


def _line(
    version: Mapping[str, Any],
    span: Span,
    month: Span,
    promise: Mapping[str, Any],
    measured: Mapping[str, Any],
    score: Score,
) -> tuple[dict[str, Any], CreditLine]:
    target, bands = read_share(promise["target"]), read_bands(promise["bands"])
    is_known = score.is_determinable(read_share(version["terms"]["minimum_coverage"]))
    attained = score.attained if is_known else None
    credit = credit_line(
        attained,
        bands,
        promise["fee_part"],
        part_minutes=span.minutes,
        month_minutes=month.minutes,
    )
    both = score.counted + score.hidden
    kind = score.kind
    line = {
        **_head(version, promise["clause"], measured["name"], kind, promise),
        "indicators": list(measured["indicators"]),
        "window": score.window,
        "excluded": score.excluded,
        "unknown": score.unknown,
        "data": score.counted.minutes,
        "measured": score.measured,
        "lost": score.lost,
        "hidden_lost": score.hidden.lost(kind),
        "attained": _of(score.measured - score.lost, score.measured) if is_known else None,
        "without_exclusions": (
            _of(both.measured(kind) - both.lost(kind), both.measured(kind)) if is_known else None
        ),
        "coverage": _of(score.counted.minutes, score.expected),
        "left": str(budget(score, target).left) if is_known else None,
        **_end(attained, target, bands, credit),
    }
    return line, credit


def _head(
    version: Mapping[str, Any], clause: int, name: str, kind: str, promise: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "clause": clause,
        "commitment": name,
        "kind": kind,
        "version": version["number"],
        "from": version["from"],
        "to": version["to"],
        "promised": promise["target"],
    }


def _end(
    attained: Fraction | None, target: Fraction, bands: Sequence[Band], credit: CreditLine
) -> dict[str, Any]:
    band = band_for(attained, bands) if attained is not None else None
    result = NOT_DETERMINABLE if attained is None else MET if attained >= target else MISSED
    return {
        "result": result,
        "band": str(band.below) if band else None,
        "share": str(credit.share) if credit.share else None,
        "fee": str(credit.fee),
        "credit": credit.credit,
    }


def _of(part: int, whole: int) -> str | None:
    return f"{part}/{whole}" if whole else None


def _support(
    facts: Mapping[str, Any], version: Mapping[str, Any], span: Span, month: Span
) -> Iterator[tuple[dict[str, Any], CreditLine]]:
    results = {
        each["severity"]: each for each in facts["support"] if each["version"] == version["number"]
    }
    for term in version["terms"]["support"]:
        found = results.get(term["severity"], {"count": 0, "in_time": 0})
        count, in_time = found["count"], found["in_time"]
        if not 0 <= in_time <= count:
            raise ValueError(
                f"Support of severity {term['severity']}: {in_time} of {count} in time"
            )
        # A month without an incident meets its commitment: nothing could be late.
        attained = Fraction(in_time, count) if count else Fraction(1)
        bands = read_bands(term["bands"])
        credit = credit_line(
            attained,
            bands,
            term["fee_part"],
            part_minutes=span.minutes,
            month_minutes=month.minutes,
        )
        name = f"Support, SEV{term['severity']}"
        line = {
            **_head(version, term["severity"], name, "support", term),
            "indicators": [],
            "measured": count,
            "lost": count - in_time,
            "attained": _of(in_time, count),
            "without_exclusions": None,
            "coverage": None,
            "left": None,
            **_end(attained, read_share(term["target"]), bands, credit),
        }
        yield line, credit


@dataclass(frozen=True, slots=True)
class LineChange:
    """One commitment in one version's span, before and after. A side is None if it didn't exist."""

    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        line = self.after or self.before or {}
        return str(line["commitment"])

    def values(self, name: str) -> list[Any]:
        """Return one figure before and after."""
        return [None if line is None else line.get(name) for line in (self.before, self.after)]

    def differs(self, name: str) -> bool:
        before, after = self.values(name)
        return bool(before != after)


COMPARED = ("excluded", "unknown", "measured", "lost", "attained", "result", "share", "credit")


def changed_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[LineChange]:
    """Return the lines that differ between two results, in the order of the later one."""
    old = {_place(line): line for line in before["lines"]}
    new = {_place(line): line for line in after["lines"]}
    return [
        LineChange(old.get(place), new.get(place))
        for place in [*new, *(place for place in old if place not in new)]
        if _compared(old.get(place)) != _compared(new.get(place))
    ]


def _place(line: Mapping[str, Any]) -> tuple[str, str]:
    return line["commitment"], line["from"]


def _compared(line: Mapping[str, Any] | None) -> list[Any] | None:
    return None if line is None else [line.get(name) for name in COMPARED]
