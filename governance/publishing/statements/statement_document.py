"""The layout of a statement's PDF: two pages, from its data file and notes. Pure.

    build(statement, data, notes) -> Built     the input of kernel/pdf.render

The same data file gives the same bytes. Both signatures confirm its fingerprint.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from markupsafe import Markup

from governance.kernel.intervals import Span, difference, intersection, minutes
from governance.kernel.pictures.pdf import Attachment
from governance.operations.agreements.money import money
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.page_environment import environment
from governance.publishing.statements import conclusions, data_file, figures
from governance.publishing.statements.arithmetic_steps import band_text, steps, version_of
from governance.publishing.statements.closing import PDF_NAME
from governance.publishing.statements.statement_calculation import (
    MISSED,
    exclusion_spans,
    read_instant,
    read_span,
    why_not_counted,
)
from governance.publishing.statements.statement_drawing import NamedSpan, minutes_lost

MARKS = {"met": ("m", "●"), "missed": ("m bad", "▲"), "not determinable": ("m mute", "○")}
MAX_LOST_ROWS = 12


def build(statement: Mapping[str, Any], data: bytes, notes: Mapping[str, Any]) -> Built:
    """Return the document. `data` are the bytes of the signed data file of this statement."""
    fingerprint = data_file.read(data).sha256
    files = (Attachment(data_file.NAME, data, "Minute counts, exclusions, terms and result"),)
    html = (
        environment()
        .get_template("publishing/statements/pdf/statement.html")
        .render(**context(statement, notes), fingerprint=fingerprint, attachments=files)
    )
    return Built(html, files, fingerprint, PDF_NAME, read_instant(statement["closed_at"]))


def context(statement: Mapping[str, Any], notes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the context of the template."""
    result, units = statement["result"], figures.units(statement)
    currency = result["currency"]
    say = conclusions.Conclusions(statement, result)
    return {
        "s": statement,
        "result": result,
        "say": say,
        "name": f"SLA statement, {figures.month_title(statement['month'])}",
        "version": statement["versions"][-1]["number"] if statement["versions"] else 0,
        "closed": _closed(statement),
        "kpis": _kpis(statement, result),
        "rows": [_row(statement, line, units) for line in result["lines"]],
        "steps": [*enumerate(steps(statement, result, notes), 1)],
        "bands": _bands(statement, result),
        "lost": _lost(statement, notes),
        "chart": _chart(statement, notes),
        "money": lambda amount: money(amount, currency),
        "key_name": "+".join(statement["signing_key"].split("+", 2)[:2]),
        "log": statement["log"],
    }


def _closed(statement: Mapping[str, Any]) -> str:
    """Return "6 November 2026"."""
    at, zones = read_instant(statement["closed_at"]), figures.zones_of(statement)
    text = f"{figures.day(at, zones)} {figures.local(at, zones).year}"
    return text.replace(" ", "\N{NO-BREAK SPACE}")  # A line doesn't break within a date.


def _kpis(
    statement: Mapping[str, Any], result: Mapping[str, Any]
) -> list[tuple[str, str, str, str, tuple[str, str] | None, str]]:
    """Return the key figures of two commitments, of the number missed, and of the credit.

    Each has a label, figure, unit, comparison, and the mark and word of its result.
    """
    found: list[tuple[str, str, str, str, tuple[str, str] | None, str]] = []
    for line in result["lines"][:2]:
        known = line["attained"] is not None and line["kind"] != "support"
        figure = (
            figures.percent(line["attained"], 2).rstrip("%") if known else figures.attained(line)
        )
        found.append(
            (
                line["commitment"].rpartition(" · ")[2],
                figure if known or line["kind"] == "support" else "unknown",
                "%" if known else "",
                f"Promised {figures.promised(line)}.",
                MARKS[line["result"]],
                line["result"],
            )
        )
    found.append(
        (
            "Commitments missed",
            f"{result['missed']}",
            f"of {result['commitments']}",
            f"{result['met']} met, {result['not_determinable']} not determinable",
            None,
            "",
        )
    )
    share = Fraction(result["credit"], result["fee"]) if result["fee"] else Fraction(0)
    amount = money(result["credit"], result["currency"])
    part = f"{figures.percent(share, 1)} of the month's fee"
    return [
        *found,
        (f"Credit for {figures.month_name(statement['month'])}", amount, "", part, None, ""),
    ]


def _row(
    statement: Mapping[str, Any], line: Mapping[str, Any], units: Mapping[str, str]
) -> dict[str, Any]:
    unit = figures.unit_of(line, units)
    coverage = version_of(statement, line)["terms"]["minimum_coverage"]
    split = len(statement["versions"]) > 1
    return {
        "name": line["commitment"] + (f", version {line['version']}" if split else ""),
        "promised": figures.promised(line),
        "measured": f"{line['measured']:,}{' min' if line['kind'] == 'downtime' else ''}",
        "lost": figures.lost(line, "" if line["kind"] != "downtime" else unit).strip(),
        "attained": figures.attained(line),
        "without": figures.percent(line["without_exclusions"]),
        "coverage": figures.coverage(line["coverage"]),
        "result": figures.outcome(line, coverage, unit),
        "mark": MARKS[line["result"]],
        "credit": money(line["credit"], statement["result"]["currency"]) if line["credit"] else "",
    }


def _bands(statement: Mapping[str, Any], result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the bands of up to two lines that are owed a credit, with the applied one marked."""
    found = []
    for line in [each for each in result["lines"] if each["share"]][:2]:
        terms = version_of(statement, line)["terms"]
        name = "severity" if line["kind"] == "support" else "clause"
        rows = terms["support" if name == "severity" else "commitments"]
        bands = next(each for each in rows if each[name] == line["clause"])["bands"]
        ordered = sorted(bands, key=lambda band: Fraction(band[0]), reverse=True)
        found.append(
            {
                "name": line["commitment"],
                "rows": [
                    (band_text(bands, None), "0%", False),
                    *(
                        (
                            band_text(bands, below),
                            figures.plain_share(share),
                            Fraction(below) == Fraction(line["band"]),
                        )
                        for below, share in ordered
                    ),
                ],
            }
        )
    return found


def _lost(statement: Mapping[str, Any], notes: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what was lost and why: downtime by day, minutes without data, exclusions."""
    zones, rows = figures.zones_of(statement), []
    for line in statement["result"]["lines"]:
        if line["kind"] != "downtime" or line["lost"] == 0 or line["result"] != MISSED:
            continue
        down = [read_span(each) for key in line["indicators"] for each in notes[key]["down"]]
        version = version_of(statement, line)
        hidden = [s for key in line["indicators"] for s in exclusion_spans(statement, version, key)]
        inside = difference(intersection(down, [read_span([line["from"], line["to"]])]), hidden)
        rows.append((line["commitment"], f"{line['lost']:,}", figures.days_of(inside, zones)))
        rows += _lost_in_incidents(statement, line, inside)
        if line["unknown"]:
            gaps = [read_span(each) for key in line["indicators"] for each in notes[key]["unknown"]]
            rows.append(("No data", f"{line['unknown']:,}", figures.days_of(gaps, zones)))
    for each in statement["exclusions"]:
        span = read_span([each["from"], each["to"]])
        terms = statement["versions"][-1]["terms"]
        reason = why_not_counted(each, terms) or each["title"]
        rows.append(
            (each["ref"], f"{span.minutes:,}", f"{figures.day(span.start, zones)}: {reason}")
        )
    return rows[:MAX_LOST_ROWS]


def _lost_in_incidents(
    statement: Mapping[str, Any], line: Mapping[str, Any], lost: Sequence[Span]
) -> Iterator[tuple[str, str, str]]:
    """Yield each incident with the part of a line's lost minutes within it."""
    for each in statement["incidents"]:
        part = intersection(lost, [read_span([each["from"], each["to"]])])
        if part and set(each["indicators"]) & set(line["indicators"]):
            days = figures.days_of(part, figures.zones_of(statement))
            yield each["ref"], f"{minutes(part):,}", f"{days}, counted in the line above"


def _chart(statement: Mapping[str, Any], notes: Mapping[str, Any]) -> dict[str, Any] | None:
    """Draw the minutes lost of the first missed downtime commitment, or else of the first one."""
    lines = [
        each
        for each in statement["result"]["lines"]
        if each["kind"] == "downtime" and each["left"] is not None
    ]
    if not lines:
        return None
    line = next((each for each in lines if each["result"] == MISSED), lines[0])
    span = read_span([line["from"], line["to"]])
    version = version_of(statement, line)
    key = line["indicators"][0]
    allowed = Fraction(line["left"]) + line["lost"]
    down = intersection([read_span(each) for each in notes[key]["down"]], [span])
    hidden = intersection(exclusion_spans(statement, version, key), [span])
    times = float(Fraction(line["lost"]) / allowed) if allowed else 0.0
    title = (
        f"{line['commitment']} used {times:.1f} times its budget"
        if line["result"] == MISSED
        else f"{line['commitment']} stayed within its budget"
    )
    alt = f"{title}: {line['lost']:,} minutes lost of {float(allowed):,.1f}."
    zones = figures.zones_of(statement)
    svg: Markup = minutes_lost(
        span,
        down,
        [*_excluded(statement, version, key, span)],
        _in_incidents(statement, notes, key, span, hidden),
        float(allowed),
        zones,
        alt,
    )
    return {"title": title, "svg": svg, "name": line["commitment"], "grey": bool(hidden)}


def _excluded(
    statement: Mapping[str, Any], version: Mapping[str, Any], key: str, span: Span
) -> Iterator[NamedSpan]:
    """Yield the spans hidden from an indicator, such as "4 Oct, maintenance: 120 min, excluded"."""
    zones = figures.zones_of(statement)
    for each in statement["exclusions"]:
        if key not in each["indicators"] or why_not_counted(each, version["terms"]):
            continue
        for part in intersection([read_span([each["from"], each["to"]])], [span]):
            at = figures.short_day(part.start, zones)
            what = figures.category_words(each["category"])
            yield NamedSpan(part, f"{at}, {what}: {part.minutes:,} min, excluded")


def _in_incidents(
    statement: Mapping[str, Any],
    notes: Mapping[str, Any],
    key: str,
    span: Span,
    hidden: Sequence[Span],
) -> list[NamedSpan]:
    """Return incidents in which the indicator lost minutes: "INC-121: 22 min, 7 min without data"."""
    named = []
    for each in statement["incidents"]:
        touched = intersection([read_span([each["from"], each["to"]])], [span])
        if key not in each["indicators"] or not touched:
            continue
        lost = _minutes_in(notes[key]["down"], touched, hidden)
        unknown = _minutes_in(notes[key]["unknown"], touched, hidden)
        if lost:
            rest = f", {unknown:,} min without data" if unknown else ""
            named.append(NamedSpan(touched[0], f"{each['ref']}: {lost:,} min{rest}"))
    return named


def _minutes_in(
    runs: Sequence[Sequence[str]], touched: Sequence[Span], hidden: Sequence[Span]
) -> int:
    inside = intersection([read_span(each) for each in runs], touched)
    return minutes(difference(inside, hidden))
