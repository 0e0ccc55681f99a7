"""From a frozen Type II evidence matrix to what is rendered: the HTML and the files attached to it.

Pure, but for `snapshot`.

snapshot(report)        the facts of a run, read now (kinds.py)
build(snapshot)         html, attachments, fingerprint, file name
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from governance.kernel import charts
from governance.kernel.pdf import Attached
from governance.kernel.spreadsheet_writer import Cell, csv_bytes
from governance.publishing.reports import document, figures
from governance.publishing.reports.attestation.sentences import moment
from governance.publishing.reports.document import Built, key_name, sealed, short_digest
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.sentences import NOTHING, clip, day, instant
from governance.publishing.reports.snapshot import canonical
from governance.publishing.reports.type2 import snapshot as reading
from governance.publishing.reports.type2.sentences import CONTROL_TITLE, METHOD_TITLE, Matrix

WIDE, OTHER = 174.0, 78.0  # mm of the matrix, and of its columns that are not months
CONTROLS, POPULATIONS, SAMPLES, CASES, ODD = (
    72,
    40,
    24,
    40,
    20,
)  # printed; the rest is attached. ODD: items of a sample in its table
WORST = {"exception": 0, "missed": 1}
type Json = Mapping[str, Any]


def snapshot(report: ReportRun) -> dict[str, Any]:
    """The months of the run, as they are on file."""
    begin, end = (date.fromisoformat(str(report.parameters[name])) for name in ("from", "to"))
    framework = report.parameters.get("framework")
    of = f"{framework.upper()}-" if framework else ""
    return reading.snapshot(begin, end, framework) | {
        "document": {
            "number": f"TYPE2-{of}{begin:%Y-%m}-to-{end:%Y-%m}",
            "version": "1.0",
            "until": end,
        }
    }


def build(frozen: Json) -> Built:
    """The report of this snapshot, ready for `kernel.pdf.render`."""
    return document.built(frozen, attachments(frozen), _html)


# ---- the files inside


def attachments(frozen: Json) -> tuple[Attached, ...]:
    """snapshot.json first; the manifest last, because it names the digests of the others."""
    say = Matrix(frozen)
    files = (
        Attached("snapshot.json", canonical(frozen), "Frozen data of this report"),
        Attached(
            "matrix.csv",
            matrix_csv(frozen),
            f"{len(say.controls)} controls by {len(say.months)} months, each cell explained",
        ),
        Attached("samples.csv", samples_csv(frozen), f"{say.items} drawn items with their results"),
        Attached(
            "exceptions.csv",
            exceptions_csv(frozen),
            f"{len(say.exceptions)} exceptions with their findings",
        ),
        *(
            Attached(
                file_of(each), population_csv(each), f"{each['row_count']} rows of {each['number']}"
            )
            for each in say.populations
            if each["attached"]
        ),
    )
    digests = [
        {name: each[name] for name in ("number", "sha256", "row_count", "attached")}
        for each in say.populations
    ]
    return sealed(frozen, files, {"period": frozen["period"], "populations": digests})


def file_of(population: Json) -> str:
    """As "POP-01.csv": the number by which this report calls it."""
    return f"{population['number']}.csv"


def matrix_csv(frozen: Json) -> bytes:
    """One row for each control and month, formula-safe."""
    head = ("control", "title", "cadence", "month", "state", "count", "why")
    return csv_bytes(
        head,
        [
            (
                each["ref"],
                each["title"],
                each["cadence"],
                cell["month"][:7],
                cell["kind"],
                cell["count"],
                cell["why"],
            )
            for each in frozen["controls"]
            for cell in each["months"]
        ],
    )


def samples_csv(frozen: Json) -> bytes:
    """One row for each drawn item, formula-safe."""
    head = (
        "sample",
        "control",
        "population",
        "rule",
        "seed",
        "number",
        "item",
        "dated",
        "outcome",
        "checks",
        "note",
        "tested by",
        "tested at",
        "results",
        "exception",
    )
    rows: list[tuple[Cell, ...]] = [
        (
            each["number"],
            each["control"],
            each["population"],
            each["rule"],
            each["seed"],
            item["number"],
            item["item"],
            item["dated"],
            item["outcome"] or "not tested",
            "; ".join(f"{name}: {said}" for name, said in item["checks"].items()),
            item["note"],
            item["tested_by"],
            item["tested_at"],
            item["results"],
            item["exception"],
        )
        for each in frozen["samples"]
        for item in each["items"]
    ]
    return csv_bytes(head, rows)


def exceptions_csv(frozen: Json) -> bytes:
    """One row for each exception with its finding and last retest, formula-safe."""
    head = (
        "exception",
        "control",
        "item",
        "what was found",
        "cause",
        "effect",
        "correction",
        "management response",
        "answered by",
        "state",
        "finding",
        "plan",
        "owner",
        "due",
        "remedy",
        "closed",
        "last retest",
        "retested items",
        "of them failed",
    )
    return csv_bytes(head, [_exception_row(each) for each in frozen["exceptions"]])


def _exception_row(each: Json) -> tuple[Cell, ...]:
    held = each["finding"]
    told = (
        each["ref"],
        each["control"],
        each["item"],
        each["says"],
        each["cause"],
        each["effect"],
        each["correction"],
        each["response"],
        each["responded_by"],
        each["state"],
    )
    if held is None:
        return (*told, *(None,) * 9)
    last = held["retests"][-1] if held["retests"] else None
    tried = (last["on"], last["sample"], last["failed"]) if last else (None, None, None)
    return (
        *told,
        held["ref"],
        held["plan"],
        held["owner"],
        held["due_on"],
        held["remedy"],
        held["closed_at"],
        *tried,
    )


def population_csv(population: Json) -> bytes:
    """Its rows as they were frozen, formula-safe."""
    return csv_bytes(population["columns"], population["rows"])


# ---- the page


def _html(frozen: Json, files: tuple[Attached, ...], print_: str) -> str:
    say = Matrix(frozen)
    return (
        _environment()
        .get_template("publishing/reports/pdf/type2/report.html")
        .render(
            s=frozen,
            say=say,
            fingerprint=print_,
            created=frozen["requested_at"],
            name=report_name(frozen),
            footer=_footer(frozen),
            key_name=key_name(frozen),
            filename=document.filename(frozen),
            attachments=files,
            base=3,
            method_title=METHOD_TITLE,
            control_title=CONTROL_TITLE,
            method=_method(frozen, say),
            facts=_facts(frozen, print_),
            people=_people(frozen, say),
            shown=_shown(say),
            widths=_widths(len(say.months)),
            most={"populations": POPULATIONS, "samples": SAMPLES, "cases": CASES, "odd": ODD},
            chart=_chart(say),
            strip=_strip(say),
            file_of=file_of,
        )
    )


def report_name(frozen: Json) -> str:
    """As "Type II evidence matrix, 1 Dec 2025 to 30 Nov 2026": the running header and the PDF's
    title.
    """
    return (
        f"Type II evidence matrix, {day(frozen['period']['from'], short=True)} to"
        f" {day(frozen['period']['to'], short=True)}"
    )


def _footer(frozen: Json) -> str:
    tenant = frozen["tenant"]
    return (
        f"{tenant['classification']}: {tenant['audience']}"
        if tenant["audience"]
        else str(tenant["classification"])
    )


def _widths(months: int) -> tuple[float, ...]:
    each = round((WIDE - OTHER) / max(1, months), 2)
    return (46, *(each,) * months, 16, 16)


def _shown(say: Matrix) -> list[Json]:
    """All controls by ref; of more than a page holds, those with an exception or a gap come
    first.
    """
    if len(say.controls) <= CONTROLS:
        return say.controls
    return sorted(
        say.controls, key=lambda each: min(WORST.get(cell["kind"], 2) for cell in each["months"])
    )[:CONTROLS]


def _chart(say: Matrix) -> Markup | None:
    """Exceptions and gaps by month; nothing to draw where there is none."""
    counts = [say.cells_of(n) for n in range(len(say.months))]
    wrong = [found["exception"] + found["missed"] for found in counts]
    if not any(wrong):
        return None
    items = [
        charts.ChartColumn(
            f"{date.fromisoformat(month):%b}", value, "bad" if value == max(wrong) else "l2"
        )
        for month, value in zip(say.months, wrong, strict=True)
    ]
    told = ", ".join(f"{item.label}: {item.value:.0f}" for item in items)
    return charts.for_print(
        charts.columns(items, f"{say.months_heading}. {told}.", width=660, height=130)
    )


def _strip(say: Matrix) -> Markup:
    """The cover: each control's months as circles, white where something is on file, hollow where
    nothing is.
    """
    fill = {"tested": 4, "performed": 3, "due": 1, "exception": 2, "missed": 0, "none": 0}
    rows = [
        (
            clip(f"{each['ref']} {each['title']}", 20),
            [fill[cell["kind"]] for cell in each["months"]],
        )
        for each in say.controls[:5]
    ]
    heads = [f"{date.fromisoformat(month):%b}" for month in say.months]
    told = (
        "; ".join(
            f"{each['ref']}: {each['on_file']} of {each['due']} on file, {each['tested']} tested"
            for each in say.controls[:5]
        )
        or "no control"
    )
    return figures.cover_rows(
        heads,
        rows,
        "Control by month; full is tested, three quarters performed, half an exception, a quarter"
        f" due, empty missed or nothing expected. {told}.",
    )


def _facts(frozen: Json, print_: str) -> list[tuple[str, str]]:
    doc = frozen["document"]
    return [
        ("Title", report_name(frozen)),
        ("Number", doc["number"]),
        ("Version", doc["version"]),
        ("Classification", frozen["tenant"]["classification"]),
        ("Keep until", day(doc["keep_until"], missing="not decided")),
        ("Fingerprint", short_digest(print_)),
        ("Supersedes", doc["supersedes"] or "nothing"),
    ]


def _people(frozen: Json, say: Matrix) -> list[tuple[str, str, str]]:
    """Who prepared it, who drew and tested, and for whom it is."""
    testers: dict[str, list[str]] = {}
    for each in say.samples:
        for item in each["items"]:
            if item["tested_by"]:
                testers.setdefault(item["tested_by"], []).append(item["tested_at"])
    busiest = sorted(testers.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:3]
    return [
        ("Prepared", frozen["prepared_by"], day(frozen["requested_at"], short=True)),
        *(
            (
                "Tested",
                f"{clip(name, 30)}, {len(at)} item{'' if len(at) == 1 else 's'}",
                day(max(at), short=True),
            )
            for name, at in busiest
        ),
        ("For", frozen["tenant"]["audience"] or "not decided", NOTHING),
    ]


def _method(frozen: Json, say: Matrix) -> list[tuple[str, str]]:
    left = sum(not each["attached"] for each in say.populations)
    return [
        (
            "Period",
            (
                f"Whole months, {say.span}. Everything is told as it was on file when the data were"
                f" frozen for this report, asked for on {instant(frozen['requested_at'])}. Times"
                " are UTC."
            ),
        ),
        (
            "Expected",
            (
                "A control with a cadence of the calendar is expected once in each cycle that ends"
                " in the period and began after the control did. A cycle is performed when accepted"
                " evidence, or a test, covers it whole or ends in it. It is due until 14 days after"
                " its end; proof that came later leaves it missed. What follows events is counted"
                " from its population."
            ),
        ),
        (
            "Populations",
            (
                "A population is frozen with its query, its parameters, who ran it and when, and"
                " the SHA-256 over its rows: each as JSON with sorted keys, without spaces, in"
                " UTF-8, and a line feed. "
                "Frozen rows do not change."
                f" {'They are attached as CSV.' if not left else f'{left} of them are too large to attach; their digests stand here.'}"
            ),
        ),
        (
            "Samples",
            (
                "The size follows from the stated rule, or a reason says why not. Items stand in"
                " the order of SHA-256 over the seed without spaces, the digest of the population"
                " and the item's id, each on a line; the first ones are drawn. Anybody who has the"
                " rows can draw again."
            ),
        ),
        (
            "Results",
            (
                "Each item is checked for every attribute of its sample. The latest result counts;"
                " earlier ones stay on file. An item that failed leads to an exception, whatever"
                " comes of it."
            ),
        ),
        (
            "Findings",
            (
                "A finding is closed by a retest that passes, made by somebody who did not make the"
                " repair. Nothing else closes it."
            ),
        ),
        (
            "What it does not say",
            (
                "It is no auditor's opinion. A sample speaks for the population it was drawn from,"
                " and for no other. Whether a population is complete follows from its query, which"
                " is printed."
            ),
        ),
    ]


def _month(value: str) -> str:
    return f"{date.fromisoformat(value):%b}"


def _number(count: int) -> str:
    return f"{count:,}"


@cache
def _environment() -> Environment:
    own = document.environment().overlay()
    own.filters = own.filters | {"moment": moment, "month": _month, "number": _number}
    return own
