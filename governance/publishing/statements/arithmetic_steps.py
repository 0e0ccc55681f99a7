"""The sums of a statement, step by step, as a person reads them from top to bottom. Pure.

steps(facts, result, notes)     every commitment that is owed a credit, the cap, the credit
line_steps(…)                   one commitment, from the minutes of the month to its credit
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from governance.operations.agreements.money import money
from governance.publishing.statements import figures
from governance.publishing.statements.figures import DIVIDED, MINUS, TIMES
from governance.publishing.statements.statement_calculation import (
    NOT_DETERMINABLE,
    read_span,
    why_not_counted,
)


@dataclass(frozen=True, slots=True)
class ArithmeticStep:
    """One line of a sum: its label, its derivation, and its value.

    A total closes the lines above.
    """

    label: str
    how: str
    value: str
    is_total: bool = False


def version_of(facts: Mapping[str, Any], line: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the version that a line was scored under."""
    found = [v for v in facts["versions"] if v["number"] == line["version"]]
    return next((v for v in found if v["from"] == line["from"]), found[0])


def shown_lines(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the lines with a credit, or else the first one that could be determined."""
    credited = [line for line in result["lines"] if line["credit"]]
    if credited:
        return credited
    known = [line for line in result["lines"] if line["result"] != NOT_DETERMINABLE]
    return known[:1]


def steps(
    facts: Mapping[str, Any], result: Mapping[str, Any], notes: Mapping[str, Any]
) -> list[ArithmeticStep]:
    """Return the arithmetic of the month's credit. `notes` names the days without data."""
    found: list[ArithmeticStep] = []
    for line in shown_lines(result):
        found += line_steps(facts, result, line, notes)
    return [*found, *_total(facts, result)]


def line_steps(
    facts: Mapping[str, Any],
    result: Mapping[str, Any],
    line: Mapping[str, Any],
    notes: Mapping[str, Any],
) -> list[ArithmeticStep]:
    """Return the steps of one commitment, down to its credit."""
    if line["kind"] == "downtime":
        measured = [*_minutes(facts, line, notes)]
    elif line["kind"] == "support":
        measured = [*_support(line)]
    else:
        measured = [*_events(facts, line)]
    if line["result"] == NOT_DETERMINABLE:
        return measured
    return [*measured, *_credit(facts, result, line)]


def _minutes(
    facts: Mapping[str, Any], line: Mapping[str, Any], notes: Mapping[str, Any]
) -> Iterator[ArithmeticStep]:
    name, zones = figures.month_name(facts["month"]), figures.zones_of(facts)
    if [line["from"], line["to"]] == list(facts["span"]) and line["window"] == line_span(facts):
        yield ArithmeticStep(
            f"Minutes in {name}", figures.length_of_month(facts), f"{line['window']:,}"
        )
    else:
        span = read_span([line["from"], line["to"]])
        how = f"{figures.day(span.start, zones)} to {figures.day(span.end, zones)}"
        yield ArithmeticStep(f"Minutes under version {line['version']}", how, f"{line['window']:,}")
    if line["excluded"]:
        yield ArithmeticStep(
            "Excluded", _why_excluded(facts, line), f"{MINUS} {line['excluded']:,}"
        )
    if line["unknown"]:
        gaps = [read_span(g) for key in line["indicators"] for g in notes.get(key, {})["unknown"]]
        yield ArithmeticStep(
            "No data", figures.days_of(gaps, zones), f"{MINUS} {line['unknown']:,}"
        )
    measured, down = line["measured"], line["lost"]
    yield ArithmeticStep("Measured", "", f"{measured:,}", is_total=True)
    if line["result"] == NOT_DETERMINABLE:
        return
    hidden = line["hidden_lost"]
    how = f"{down + hidden:,}, of which {hidden:,} in excluded minutes" if hidden else ""
    yield ArithmeticStep("Down", how, f"{MINUS} {down:,}")
    how = f"{measured - down:,} {DIVIDED} {measured:,} = {figures.percent(line['attained'])}"
    yield ArithmeticStep("Up", how, f"{measured - down:,}", is_total=True)


def line_span(facts: Mapping[str, Any]) -> int:
    return read_span(facts["span"]).minutes


def _why_excluded(facts: Mapping[str, Any], line: Mapping[str, Any]) -> str:
    """Return a text such as "maintenance 4 and 18 October, dispute 9 October"."""
    terms, zones = version_of(facts, line)["terms"], figures.zones_of(facts)
    spans: dict[str, list[Any]] = {}
    for each in facts["exclusions"]:
        if set(each["indicators"]) & set(line["indicators"]) and not why_not_counted(each, terms):
            spans.setdefault(each["category"], []).append(read_span([each["from"], each["to"]]))
    return ", ".join(
        f"{figures.category_words(category)} {figures.days_of(its, zones)}"
        for category, its in spans.items()
    )


def _events(facts: Mapping[str, Any], line: Mapping[str, Any]) -> Iterator[ArithmeticStep]:
    unit = figures.unit_of(line, figures.units(facts))
    measured, lost = line["measured"], line["lost"]
    how = f"outside {line['excluded']:,} excluded minutes" if line["excluded"] else ""
    yield ArithmeticStep(
        f"{unit.capitalize()} in {figures.month_name(facts['month'])}", how, f"{measured:,}"
    )
    if line["result"] == NOT_DETERMINABLE:
        return
    yield ArithmeticStep("Not good", "", f"{MINUS} {lost:,}")
    how = f"{measured - lost:,} {DIVIDED} {measured:,} = {figures.percent(line['attained'])}"
    yield ArithmeticStep("Good", how, f"{measured - lost:,}", is_total=True)


def _support(line: Mapping[str, Any]) -> Iterator[ArithmeticStep]:
    count, late = line["measured"], line["lost"]
    yield ArithmeticStep(
        f"Incidents, {line['commitment'].removeprefix('Support, ')}", "", f"{count:,}"
    )
    yield ArithmeticStep("Late", "", f"{MINUS} {late:,}")
    how = (
        f"{count - late:,} {DIVIDED} {count:,} = {figures.percent(line['attained'])}"
        if count
        else ""
    )
    yield ArithmeticStep("In time", how, f"{count - late:,}", is_total=True)


def _credit(
    facts: Mapping[str, Any], result: Mapping[str, Any], line: Mapping[str, Any]
) -> Iterator[ArithmeticStep]:
    currency, terms = result["currency"], version_of(facts, line)["terms"]
    promise = _promise(terms, line)
    if not line["share"]:
        yield ArithmeticStep("Band", band_text(promise["bands"], line["band"]), "no credit")
        return
    yield ArithmeticStep(
        "Band", band_text(promise["bands"], line["band"]), figures.plain_share(line["share"])
    )
    fee = Fraction(line["fee"])
    part = money(promise["fee_part"], currency)
    whole = money(terms["monthly_fee"], currency)
    yield ArithmeticStep(f"Fee of {line['commitment']}", f"part of {whole}", part)
    if fee != promise["fee_part"]:
        span = read_span([line["from"], line["to"]]).minutes
        how = f"{part} {TIMES} {span:,} {DIVIDED} {result['minutes']:,} minutes of the month"
        yield ArithmeticStep(
            f"Fee under version {line['version']}", how, money(round(fee), currency)
        )
        part = money(round(fee), currency)
    how = f"{figures.plain_share(line['share'])} {TIMES} {part}"
    yield ArithmeticStep("Credit", how, money(line["credit"], currency), is_total=True)


def _promise(terms: Mapping[str, Any], line: Mapping[str, Any]) -> Mapping[str, Any]:
    name = "severity" if line["kind"] == "support" else "clause"
    rows: Sequence[Mapping[str, Any]] = terms["support" if name == "severity" else "commitments"]
    return next(each for each in rows if each[name] == line["clause"])


def band_text(bands: Sequence[Sequence[str]], below: str | None) -> str:
    """Return "98.0% or more, under 99.0%". The band that applies has the bound `below`."""
    bounds = sorted((Fraction(bound), bound) for bound, _ in bands)
    if below is None:
        return f"{figures.promise(bounds[-1][1])} or more" if bounds else "no band was agreed"
    place = next(n for n, (bound, _) in enumerate(bounds) if bound == Fraction(below))
    under = f"under {figures.promise(bounds[place][1])}"
    return f"{figures.promise(bounds[place - 1][1])} or more, {under}" if place else under


def _total(facts: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[ArithmeticStep]:
    currency, total = result["currency"], result["lines_total"]
    caps = {version["terms"]["credit_cap"] for version in facts["versions"]}
    fee, cap = money(result["fee"], currency), money(result["cap"], currency)
    how = f"{figures.plain_share(caps.pop())} {TIMES} {fee} = {cap}" if len(caps) == 1 else cap
    over = money(result["over_cap"], currency)
    if result["over_cap"]:
        yield ArithmeticStep("Cap", f"{how}, reached", f"{MINUS} {over}")
    else:
        yield ArithmeticStep("Cap", f"{how}, not reached", over)
    parts = [money(line["credit"], currency) for line in result["lines"] if line["credit"]]
    how = " + ".join(parts) if len(parts) > 1 or total != result["credit"] else ""
    if result["over_cap"]:
        how += f" {MINUS} {money(result['over_cap'], currency)}"
    label = f"Credit for {figures.month_name(facts['month'])}"
    yield ArithmeticStep(label, how, money(result["credit"], currency), is_total=True)
