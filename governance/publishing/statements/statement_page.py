"""The data of a statement's page: figures, sums, changes by a revision, disputes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from markupsafe import Markup

from governance.kernel.formatting import plural, short
from governance.kernel.intervals import Span
from governance.operations.agreements.credits import read_bands
from governance.operations.agreements.money import money
from governance.operations.maintenance.models import CATEGORIES
from governance.publishing.statements import figures
from governance.publishing.statements.arithmetic_steps import (
    ArithmeticStep,
    shown_lines,
    steps,
    version_of,
)
from governance.publishing.statements.conclusions import Conclusions
from governance.publishing.statements.models import CAUSES, Dispute, StatementRevision
from governance.publishing.statements.revision_chart import bands_and_marks
from governance.publishing.statements.statement_calculation import read_span, why_not_counted


@dataclass(frozen=True, slots=True)
class LineRow:
    """A commitment in the table. `minutes` are the indicator's slug and the span of its minutes."""

    line: Mapping[str, Any]
    name: str
    measures: str
    promised: str
    attained: str
    without: str
    lost: str
    coverage: str
    is_low: bool
    state: str
    result: str
    credit: str
    minutes: tuple[str, str, str] | None


def line_rows(facts: Mapping[str, Any], result: Mapping[str, Any]) -> list[LineRow]:
    units, split = figures.units(facts), len(facts["versions"]) > 1
    return [_line_row(facts, result, line, units, split=split) for line in result["lines"]]


def _line_row(
    facts: Mapping[str, Any],
    result: Mapping[str, Any],
    line: Mapping[str, Any],
    units: Mapping[str, str],
    *,
    split: bool,
) -> LineRow:
    unit = figures.unit_of(line, units)
    minimum = version_of(facts, line)["terms"]["minimum_coverage"]
    coverage = figures.share(line["coverage"])
    key = line["indicators"][0] if line["indicators"] else None
    span = read_span([line["from"], line["to"]])
    return LineRow(
        line,
        line["commitment"],
        figures.measures(line, unit) + (f", version {line['version']}" if split else ""),
        figures.promised(line),
        figures.attained(line),
        figures.percent(line["without_exclusions"]),
        figures.lost(line, unit),
        figures.coverage(line["coverage"]),
        coverage is not None and coverage < Fraction(minimum),
        figures.state(line)[0],
        figures.outcome(line, minimum, unit),
        money(line["credit"], result["currency"]) if line["credit"] else figures.NO_VALUE,
        (key, *_address(span)) if key else None,
    )


def _address(span: Span) -> tuple[str, str]:
    return f"{span.start:%Y-%m-%dT%H:%M}Z", f"{span.end:%Y-%m-%dT%H:%M}Z"


def split_money(amount: int, currency: str) -> tuple[str, str]:
    """Return a figure and its small decimals: ("€760", ".00")."""
    whole, dot, rest = money(amount, currency).partition(".")
    return whole, f"{dot}{rest}"


def context(row: StatementRevision) -> dict[str, Any]:
    """Return the context of one revision that both readers see."""
    facts, result = row.facts, row.result
    return figures_of(facts, result) | {"row": row, "changed": changed(row)}


def figures_of(facts: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same context for an open month, from facts with notes and their result."""
    fee, credit = result["fee"], result["credit"]
    return {
        "facts": facts,
        "result": result,
        "say": Conclusions(facts, result),
        "lines": line_rows(facts, result),
        "sums": _sums(facts, result),
        "sums_of": ", then ".join(line["commitment"] for line in shown_lines(result)),
        "owed": split_money(credit, result["currency"]),
        "fee": money(fee, result["currency"]),
        "fee_share": figures.percent(Fraction(credit, fee), 1) if fee else None,
        "cap": money(result["cap"], result["currency"]),
        "money": lambda amount: money(amount, result["currency"]),
        "split": lambda amount: split_money(amount, result["currency"]),
        "month_title": figures.month_title(facts["month"]),
        "zone": facts["zones"][-1][1],
        "version": facts["versions"][-1]["number"] if facts["versions"] else None,
        "exclusions": _exclusions(facts),
    }


def _exclusions(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the exclusions of the month, and the reason if one of them hides no minute."""
    terms = facts["versions"][-1]["terms"] if facts["versions"] else None
    return [
        {
            "ref": each["ref"],
            "title": each["title"],
            "category": CATEGORIES.get(each["category"], "Accepted dispute"),
            "start": short(read_span([each["from"], each["to"]]).start),
            "end": short(read_span([each["from"], each["to"]]).end),
            "why_not": why_not_counted(each, terms) if terms else None,
        }
        for each in facts["exclusions"]
    ]


def _sums(facts: Mapping[str, Any], result: Mapping[str, Any]) -> list[ArithmeticStep]:
    return steps(facts, result, facts.get("notes", {})) if facts["versions"] else []


@dataclass(frozen=True, slots=True)
class Changed:
    """The changes by a revision: title, cause, rows of (name, before, after), and chart."""

    title: str
    sub: str
    rows: Sequence[tuple[str, str, str]]
    chart: Markup | None


NAMES = {"excluded": "Excluded", "unknown": "No data", "lost": "Lost", "attained": "Attained"}


def changed(row: StatementRevision) -> Changed | None:
    """Return the changes by a revision. None for the first one."""
    changes = row.changes
    if changes is None:
        return None
    before, after = changes["credit"]
    difference = money(abs(after - before), row.currency)
    what = "keeps the credit"
    if after != before:
        what = f"{'adds' if after > before else 'takes away'} {difference}"
    rows: list[tuple[str, str, str]] = []
    units = figures.units(row.facts)
    for line in changes["lines"]:
        lead = f"{line['commitment']}: " if len(changes["lines"]) > 1 else ""
        for name, label in NAMES.items():
            if name in line["values"]:
                old, new = line["values"][name]
                unit = _unit(row, line["commitment"], units) if name == "lost" else "min"
                rows.append((f"{lead}{label}", _shown(name, old, unit), _shown(name, new, unit)))
    rows += [("Exclusion", each["ref"], "no longer listed") for each in _gone(changes)]
    rows.append(("Credit", money(before, row.currency), money(after, row.currency)))
    return Changed(
        f"Revision {row.number} {what}", _cause(row), rows, _chart(row, changes["lines"])
    )


def _gone(changes: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    added = {(each["ref"], each["from"]) for each in changes["exclusions"]["added"]}
    return [
        each
        for each in changes["exclusions"]["removed"]
        if (each["ref"], each["from"]) not in added
    ]


def _unit(row: StatementRevision, commitment: str, units: Mapping[str, str]) -> str:
    """Return the unit that a commitment counts: minutes, or the events of its indicator."""
    lines = (each for each in row.result["lines"] if each["commitment"] == commitment)
    line = next(lines, None)
    if line is None:
        return ""
    return "min" if line["kind"] == "downtime" else figures.unit_of(line, units)


def _shown(name: str, value: Any, unit: str) -> str:
    if value is None:
        return "none"
    return figures.percent(value) if name == "attained" else f"{value:,} {unit}".strip()


def _cause(row: StatementRevision) -> str:
    zones = figures.zones_of(row.facts)
    minutes = (row.changes or {}).get("minutes", [])
    if not minutes:
        return CAUSES[row.cause]
    spans = [read_span(each) for one in minutes for each in one["spans"]]
    count = sum(each["count"] for each in minutes)
    return (
        f"{CAUSES[row.cause]} {plural(count, 'minute')} of {figures.days_of(spans, zones)} differ."
    )


def _chart(row: StatementRevision, lines: Sequence[Mapping[str, Any]]) -> Markup | None:
    """Draw the first commitment whose attainment changed."""
    for change in lines:
        old, new = change["values"].get("attained", (None, None))
        line = next(
            (
                each
                for each in row.result["lines"]
                if each["commitment"] == change["commitment"] and each["kind"] != "support"
            ),
            None,
        )
        if not old or not new or line is None:
            continue
        terms = version_of(row.facts, line)["terms"]["commitments"]
        bands = read_bands(next(e for e in terms if e["clause"] == line["clause"])["bands"])
        if not bands:
            continue
        marks = [
            (f"revision {row.number}: {figures.percent(new)}", Fraction(new)),
            (f"revision {row.number - 1}: {figures.percent(old)}", Fraction(old)),
        ]
        title = f"{line['commitment']} attained {figures.percent(new)}"
        return bands_and_marks(bands, marks, title)
    return None


@dataclass(frozen=True, slots=True)
class ShownDispute:
    """A dispute with its effect in words."""

    dispute: Dispute
    title: str
    what: str
    effects: Sequence[tuple[str, str]]


def shown_dispute(dispute: Dispute, facts: Mapping[str, Any]) -> ShownDispute:
    zones = figures.zones_of(facts)
    start, end = (figures.local(at, zones) for at in dispute.span)
    when = f"{figures.day(dispute.starts_at, zones)}, {start:%H:%M} to {end:%H:%M}"
    what = (
        f"Exclusion {dispute.exclusion}, {when}"
        if dispute.kind == "exclusion"
        else f"Minutes of {dispute.indicator}, {when}"
    )
    return ShownDispute(
        dispute,
        effect_title(dispute.ref, dispute.effect),
        what,
        effects(dispute.kind, dispute.effect),
    )


def effect_title(ref: str, effect: Mapping[str, Any]) -> str:
    """Return a title such as "Dispute DSP-3 would not change the credit"."""
    before, after = effect["credit"]
    if before == after:
        return f"Dispute {ref} would not change the credit"
    verb = "raise" if after > before else "lower"
    difference = money(abs(after - before), effect["currency"])
    return f"Dispute {ref} would {verb} the credit by {difference}"


def effects(kind: str, effect: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return rows such as ("If accepted", "120 min count again, 41 of them down")."""
    verb = "count again" if kind == "exclusion" else "are left out"
    down = f", {effect['down']:,} of them down" if effect["down"] else ""
    rows = [("If accepted", f"{effect['minutes']:,} min {verb}{down}")]
    for line in effect["lines"]:
        old, new = line["attained"]
        lead = f"{line['commitment']}: " if len(effect["lines"]) > 1 else ""
        rows.append(("Attained", f"{lead}{figures.percent(new)} instead of {figures.percent(old)}"))
    before, after = effect["credit"]
    if before == after:
        rows.append(("Credit", f"the same: {money(after, effect['currency'])}"))
    else:
        new, old = (money(each, effect["currency"]) for each in (after, before))
        rows.append(("Credit", f"{new} instead of {old}"))
    return rows
