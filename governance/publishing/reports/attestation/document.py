"""The layout of a policy attestation: from its frozen snapshot to HTML and attached files.

snapshot(report)        the facts of a run, read now (kinds.py)
build(snapshot)         html, attachments, fingerprint, file name

Pure, except for `snapshot`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from governance.kernel.pictures import charts
from governance.kernel.pictures.pdf import Attachment
from governance.publishing.reports.ai_rmf import drawings
from governance.publishing.reports.attestation import snapshot as reading
from governance.publishing.reports.attestation.attachments import attachments
from governance.publishing.reports.attestation.figures import KIND_NAMES, KINDS, shown, speed
from governance.publishing.reports.attestation.method import method
from governance.publishing.reports.attestation.sentences import (
    CONTROL_TITLE,
    METHOD_TITLE,
    Attested,
)
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
from governance.publishing.reports.wording import NO_VALUE, clip, day

INKS = {
    "floor": "l4",
    "tier": "l2",
    "override": "f3",
    "risk": "f4",
    "system": "l1",
    "waiver": "bad",
}
# Settings with levels, each in one word: the columns of the cover.
COVER_NAMES = {
    "content_filter": "Filter",
    "grounding": "Grounding",
    "citations": "Citations",
    "memory": "Memory",
    "content_capture": "Capture",
    "pii_redaction": "Redaction",
    "tool_use": "Tools",
    "human_review": "Review",
    "training_use": "Training",
    "release_ring": "Releases",
}
MAX_VERSIONS, MAX_SCOPES = 30, 12  # Printed in full. The rest is attached.
# Columns of the chart, and the number of columns up to which each has room for a name.
MAX_COLUMNS, MAX_NAMED_COLUMNS = 12, 5
type Json = Mapping[str, Any]


def snapshot(report: ReportRun) -> dict[str, Any]:
    """Return the facts of the run's period, or of its day."""
    begin, end = report.parameters.get("from"), str(report.parameters["to"])
    since = datetime.combine(date.fromisoformat(begin), time(), UTC) if begin else None
    number = f"POL-{begin}-to-{end}" if begin else f"POL-{end}"
    frame = {
        "schema": reading.SCHEMA,
        "period": {"from": begin, "to": end},
        "document": {"number": number, "version": "1.0", "until": date.fromisoformat(end)},
    }
    return reading.snapshot(since, report.as_of) | frame


def build(frozen: Json) -> Built:
    """Return the report of this snapshot, ready for `kernel.pictures.pdf.render`."""
    return build_document(frozen, attachments(frozen), _html)


def _html(frozen: Json, files: tuple[Attachment, ...], print_: str) -> str:
    say = Attested(frozen)
    return (
        _environment()
        .get_template("publishing/reports/pdf/attestation/report.html")
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
            kinds=KINDS,
            kind_names=KIND_NAMES,
            inks={kind: charts.REPORT[ink] for kind, ink in INKS.items()},
            method_title=METHOD_TITLE,
            control_title=CONTROL_TITLE,
            method=method(frozen, say),
            facts=_facts(frozen, print_),
            people=_people(frozen),
            max_versions=MAX_VERSIONS,
            max_scopes=MAX_SCOPES,
            **_drawings(say),
        )
    )


def report_name(frozen: Json) -> str:
    """Return the running header and PDF title.

    For example "Policy attestation, 1 Sep 2026 to 25 Nov 2026".
    """
    begin, end = frozen["period"]["from"], frozen["period"]["to"]
    return (
        f"Policy attestation, {day(begin, short=True)} to {day(end, short=True)}"
        if begin
        else f"Policy attestation, {day(end)}"
    )


def _drawings(say: Attested) -> dict[str, Any]:
    heads = [
        COVER_NAMES.get(each["key"], clip(each["title"], 9))
        for each in say.snapshot["dimensions"]
        if len(each["levels"]) > 1
    ]
    rows = [(clip(scope["key"] or "No system", 18), _balls(say, scope)) for scope in say.now[:6]]
    steps = "; ".join(
        f"{scope['key'] or 'no system'}: {_steps(say, scope['end'])}" for scope in say.now[:6]
    )
    points = say.snapshot["points"]
    return {
        "balls": drawings.cover_rows(
            heads, rows, f"How strict each setting is. Steps of strictness: {steps}."
        ),
        "bars": {scope["key"]: _deciders(say, scope) for scope in say.now},
        "moved": _moved(say, _spread(points)) if len(points) > 1 else None,
    }


def _balls(say: Attested, scope: Json) -> list[int]:
    """Return level 0 (most permissive) to 4 (strictest) for each setting that has levels."""
    levelled = [each["key"] for each in say.snapshot["dimensions"] if len(each["levels"]) > 1]
    each = [
        say.strictness({key: scope["end"][key]} if key in scope["end"] else {}) for key in levelled
    ]
    return [round(4 * one.steps / one.most) if one.most else 0 for one in each]


def _steps(say: Attested, values: Mapping[str, Any]) -> str:
    found = say.strictness(values)
    return f"{found.steps} of {found.most}"


def _deciders(say: Attested, scope: Json) -> Markup:
    found = say.decided(scope)
    parts = [(INKS[kind], found[kind]) for kind in KINDS]
    return charts.for_print(
        charts.stacked_bar(
            parts,
            f"{scope['key'] or 'No system'}: {say.in_one_line(scope)}",
            width=170,
            height=11,
            words={ink: kind for kind, ink in INKS.items()},
        )
    )


def _spread(points: Sequence[Json]) -> list[Json]:
    """Return the first, the last, and the newest between them, as many as the chart holds."""
    return (
        list(points) if len(points) <= MAX_COLUMNS else [points[0], *points[-(MAX_COLUMNS - 1) :]]
    )


def _moved(say: Attested, points: Sequence[Json]) -> Markup:
    """Draw strictness over time. With many columns there is room for the day alone."""
    last, days = len(points) - 1, [day(point["at"], short=True)[:-5] for point in points]
    named = [f"{point['label']}, {on}" for point, on in zip(points, days, strict=True)]
    shown = named if len(points) <= MAX_NAMED_COLUMNS else days
    steps = [say.strictness(point["values"]).steps for point in points]
    items = [
        charts.ChartColumn(shown[n], steps[n], "l4" if n == last else "l2")
        for n in range(len(points))
    ]
    values = ", ".join(f"{name}: {value:.0f}" for name, value in zip(named, steps, strict=True))
    return charts.for_print(
        charts.columns(items, f"{say.moved_title}. {values}.", width=660, height=150)
    )


def _facts(frozen: Json, print_: str) -> list[tuple[str, str]]:
    doc, tier = frozen["document"], frozen["tier"]
    return [
        ("Title", report_name(frozen)),
        ("Number", doc["number"]),
        ("Version", doc["version"]),
        ("Classification", frozen["tenant"]["classification"]),
        (
            "Policy in force",
            (
                f"Version {tier['version']}, tier {tier['name']}"
                if tier["version"]
                else f"Default, tier {tier['name']}"
            ),
        ),
        (
            "Platform minimum",
            f"Version {frozen['floor']['number']}" if frozen["floor"]["number"] else "As installed",
        ),
        ("Keep until", day(doc["keep_until"], missing="not set")),
        ("Fingerprint", short_digest(print_)),
        ("Supersedes", doc["supersedes"] or "none"),
        *form_facts(frozen),
    ]


def _people(frozen: Json) -> list[tuple[str, str, str]]:
    """Return who prepared the report and the newest versions, who approved those, and the audience."""
    rows = [("Report prepared", frozen["prepared_by"], day(frozen["requested_at"], short=True))]
    for each in frozen["versions"][-3:]:
        rows.append(
            (
                "Prepared",
                f"{clip(each['made_by'], 30)}, version {each['number']}",
                day(each["at"], short=True),
            )
        )
        if each["decided_by"]:
            rows.append(
                (
                    "Approved",
                    f"{clip(each['decided_by'], 30)}, version {each['number']}",
                    day(each["decided_at"], short=True),
                )
            )
    return [*rows, ("For", frozen["tenant"]["audience"] or "not set", NO_VALUE)]


@cache
def _environment() -> Environment:
    own = environment().overlay()
    own.filters = own.filters | {"shown": shown, "speed": speed}
    return own
