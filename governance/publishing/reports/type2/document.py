"""The layout of a Type II evidence matrix: from its frozen snapshot to HTML and attached files.

snapshot(report)        the facts of a run, read now (kinds.py)
build(snapshot)         html, attachments, fingerprint, file name

Pure, except for `snapshot`.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from governance.kernel.pictures import charts
from governance.kernel.pictures.pdf import Attachment
from governance.publishing.reports.ai_rmf import drawings
from governance.publishing.reports.built_document import (
    Built,
    build_document,
    filename,
    footer,
    form_facts,
    key_name,
    short_digest,
)
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.page_environment import environment
from governance.publishing.reports.type2 import snapshot as reading
from governance.publishing.reports.type2.attachments import attachments, file_of
from governance.publishing.reports.type2.method import method
from governance.publishing.reports.type2.sentences import CONTROL_TITLE, METHOD_TITLE, Matrix
from governance.publishing.reports.wording import NO_VALUE, clip, day, many_digits

WIDE, OTHER = 174.0, 78.0  # Width in mm of the matrix, and of its columns that aren't months.
MAX_CONTROLS = 72  # Rows of the matrix.
# Printed limits. The rest is attached. `items` are those in the table of a sample.
MAX_PRINTED = {"populations": 40, "samples": 24, "exceptions": 40, "items": 20}
WORST_FIRST = {"exception": 0, "missed": 1}
type Json = Mapping[str, Any]


def snapshot(report: ReportRun) -> dict[str, Any]:
    """Return the facts of the run's months, as they are on file."""
    begin, end = (date.fromisoformat(str(report.parameters[name])) for name in ("from", "to"))
    framework = report.parameters.get("framework")
    scope = f"{framework.upper()}-" if framework else ""
    return reading.snapshot(begin, end, framework) | {
        "document": {
            "number": f"TYPE2-{scope}{begin:%Y-%m}-to-{end:%Y-%m}",
            "version": "1.0",
            "until": end,
        }
    }


def build(frozen: Json) -> Built:
    """Return the report of this snapshot, ready for `kernel.pictures.pdf.render`."""
    return build_document(frozen, attachments(frozen), _html)


def _html(frozen: Json, files: tuple[Attachment, ...], print_: str) -> str:
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
            footer=footer(frozen),
            key_name=key_name(frozen),
            filename=filename(frozen),
            attachments=files,
            base=3,
            method_title=METHOD_TITLE,
            control_title=CONTROL_TITLE,
            method=method(frozen, say),
            facts=_facts(frozen, print_),
            people=_people(frozen, say),
            shown=_shown(say),
            widths=_widths(len(say.months)),
            most=MAX_PRINTED,
            chart=_chart(say),
            strip=_strip(say),
            file_of=file_of,
        )
    )


def report_name(frozen: Json) -> str:
    """Return the running header and PDF title.

    For example "Type II evidence matrix, 1 Dec 2025 to 30 Nov 2026".
    """
    return (
        f"Type II evidence matrix, {day(frozen['period']['from'], short=True)} to"
        f" {day(frozen['period']['to'], short=True)}"
    )


def _widths(months: int) -> tuple[float, ...]:
    each = round((WIDE - OTHER) / max(1, months), 2)
    return (46, *(each,) * months, 16, 16)


def _shown(say: Matrix) -> list[Json]:
    """Return all controls by ref. If a page can't hold them, exceptions and gaps come first."""
    if len(say.controls) <= MAX_CONTROLS:
        return say.controls
    return sorted(
        say.controls,
        key=lambda each: min(WORST_FIRST.get(cell["kind"], 2) for cell in each["months"]),
    )[:MAX_CONTROLS]


def _chart(say: Matrix) -> Markup | None:
    """Draw exceptions and gaps by month. Empty if there are none."""
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
    values = ", ".join(f"{item.label}: {item.value:.0f}" for item in items)
    return charts.for_print(
        charts.columns(items, f"{say.months_heading}. {values}.", width=660, height=130)
    )


def _strip(say: Matrix) -> Markup:
    """Draw the months of the first controls as circles on the cover, filled if evidence is on file."""
    fill = {"tested": 4, "performed": 3, "due": 1, "exception": 2, "missed": 0, "none": 0}
    rows = [
        (
            clip(f"{each['ref']} {each['title']}", 20),
            [fill[cell["kind"]] for cell in each["months"]],
        )
        for each in say.controls[:5]
    ]
    heads = [f"{date.fromisoformat(month):%b}" for month in say.months]
    by_control = (
        "; ".join(
            f"{each['ref']}: {each['on_file']} of {each['due']} on file, {each['tested']} tested"
            for each in say.controls[:5]
        )
        or "no controls"
    )
    return drawings.cover_rows(
        heads,
        rows,
        "Controls by month. Full: tested; three quarters: performed; half: exception; quarter: due;"
        f" empty: missed or nothing expected. {by_control}.",
    )


def _facts(frozen: Json, print_: str) -> list[tuple[str, str]]:
    doc = frozen["document"]
    return [
        ("Title", report_name(frozen)),
        ("Number", doc["number"]),
        ("Version", doc["version"]),
        ("Classification", frozen["tenant"]["classification"]),
        ("Keep until", day(doc["keep_until"], missing="not set")),
        ("Fingerprint", short_digest(print_)),
        ("Supersedes", doc["supersedes"] or "none"),
        *form_facts(frozen),
    ]


def _people(frozen: Json, say: Matrix) -> list[tuple[str, str, str]]:
    """Return who prepared the report, who tested, and the audience."""
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
                f"{clip(name, 30)}, {many_digits(len(at), 'item')}",
                day(max(at), short=True),
            )
            for name, at in busiest
        ),
        ("For", frozen["tenant"]["audience"] or "not set", NO_VALUE),
    ]


def _month(value: str) -> str:
    return f"{date.fromisoformat(value):%b}"


@cache
def _environment() -> Environment:
    own = environment().overlay()
    own.filters = own.filters | {"month": _month}
    return own
