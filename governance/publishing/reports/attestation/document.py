"""From a frozen policy attestation to what is rendered: the HTML and the files attached to it.

Pure, but for `snapshot`.

snapshot(report)        the facts of a run, read now (kinds.py)
build(snapshot)         html, attachments, fingerprint, file name
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from governance.kernel import charts
from governance.kernel.pdf import Attached
from governance.kernel.spreadsheet_writer import Cell, csv_bytes
from governance.publishing.reports import document, figures
from governance.publishing.reports.attestation import snapshot as reading
from governance.publishing.reports.attestation.sentences import (
    CONTROL_TITLE,
    KIND_NAMES,
    KINDS,
    METHOD_TITLE,
    Attested,
    moment,
    shown,
    speed,
)
from governance.publishing.reports.document import Built, key_name, sealed, short_digest
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.sentences import NOTHING, capital, clip, day, instant, many
from governance.publishing.reports.snapshot import canonical

INKS = {
    "floor": "l4",
    "tier": "l2",
    "override": "f3",
    "risk": "f4",
    "system": "l1",
    "waiver": "bad",
}
# Of the dimensions that have levels, in a word each: the columns of the cover.
HEADS = {
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
PRINTED, FULL = (
    30,
    12,
)  # versions with their changes on paper, and systems with their own table; the rest is attached
COLUMNS, WITH_NAMES = 12, 5  # of the chart; up to so many have room for a name
type Json = Mapping[str, Any]


def snapshot(report: ReportRun) -> dict[str, Any]:
    """The facts of the run's period, or of its day."""
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
    """The report of this snapshot, ready for `kernel.pdf.render`."""
    return document.built(frozen, attachments(frozen), _html)


# ---- the files inside


def attachments(frozen: Json) -> tuple[Attached, ...]:
    """snapshot.json first; the manifest last, because it names the digests of the others."""
    scopes, versions = len(frozen["scopes"]), len(frozen["versions"])
    files = (
        Attached("snapshot.json", canonical(frozen), "Frozen data of this report"),
        Attached(
            "in-force.csv",
            in_force_csv(frozen),
            f"Every value of {scopes} scopes, with the layer that decides it",
        ),
        Attached(
            "changes.csv", changes_csv(frozen), f"{versions} versions, dimension by dimension"
        ),
        Attached(
            "switches.csv",
            switches_csv(frozen),
            f"{len(frozen['stops'])} stops and {len(frozen['drills'])} drills",
        ),
    )
    return sealed(
        frozen,
        files,
        {
            "period": frozen["period"],
            "policy_version": frozen["tier"]["version"],
            "floor_version": frozen["floor"]["number"],
        },
    )


def in_force_csv(frozen: Json) -> bytes:
    """One row for each scope and dimension, formula-safe."""
    head = (
        "system",
        "lane",
        "dimension",
        "at the start",
        "at the end",
        "decided by",
        "all layers that spoke",
    )
    return csv_bytes(
        head,
        [
            _in_force_row(scope, key["key"])
            for scope in frozen["scopes"]
            for key in frozen["dimensions"]
        ],
    )


def _in_force_row(scope: Json, key: str) -> tuple[Cell, ...]:
    end, begin = (scope["end"] or {}).get(key), (scope["begin"] or {}).get(key)
    spoke = (
        "; ".join(f"{each['layer']}: {shown(each['value'])}" for each in end["spoke"])
        if end
        else None
    )
    name = scope["key"] or "requests that name no system"
    return (
        name,
        scope["lane"],
        key,
        None if begin is None else shown(begin),
        shown(end["value"]) if end else None,
        end["set_by"] if end else None,
        spoke,
    )


def changes_csv(frozen: Json) -> bytes:
    """One row for each dimension that a version changed, formula-safe."""
    head = (
        "version",
        "in force from",
        "made by",
        "approved by",
        "approved at",
        "reason",
        "loosens",
        "system",
        "dimension",
        "before",
        "after",
        "move",
    )
    return csv_bytes(
        head,
        [
            _change_row(version, each)
            for version in frozen["versions"]
            for each in version["changes"] or [None]
        ],
    )


def _change_row(version: Json, each: Json | None) -> tuple[Cell, ...]:
    told = (
        version["number"],
        version["at"],
        version["made_by"],
        version["decided_by"],
        version["decided_at"],
        version["reason"],
        "yes" if version["loosens"] else "no",
    )
    if each is None:
        return *told, None, None, None, None, None
    return (
        *told,
        each["system"] or "all",
        each["dimension"],
        shown(each["before"]),
        shown(each["after"]),
        each["move"],
    )


def switches_csv(frozen: Json) -> bytes:
    """Stops, then drills, formula-safe."""
    head = (
        "kind",
        "scope",
        "at",
        "by",
        "reason or outcome",
        "expected",
        "obeyed",
        "slowest ms",
        "restarted or agreed by",
        "restarted at",
    )
    stops = [
        (
            "stop",
            s["scope"],
            s["at"],
            s["by"],
            s["reason"],
            s["expected"],
            s["obeyed"],
            s["slowest_ms"],
            s["restarted_by"],
            s["restarted_at"],
        )
        for s in frozen["stops"]
    ]
    drills = [
        (
            "drill",
            d["scope"],
            d["at"],
            d["planned_by"],
            d["state"],
            d["expected"],
            d["obeyed"],
            d["slowest_ms"],
            d["approved_by"],
            None,
        )
        for d in frozen["drills"]
    ]
    return csv_bytes(head, [*stops, *drills])


# ---- the page


def _html(frozen: Json, files: tuple[Attached, ...], print_: str) -> str:
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
            footer=_footer(frozen),
            key_name=key_name(frozen),
            filename=document.filename(frozen),
            attachments=files,
            base=3,
            kinds=KINDS,
            kind_names=KIND_NAMES,
            inks={kind: charts.REPORT[ink] for kind, ink in INKS.items()},
            method_title=METHOD_TITLE,
            control_title=CONTROL_TITLE,
            method=_method(frozen, say),
            facts=_facts(frozen, print_),
            people=_people(frozen),
            printed=PRINTED,
            full=FULL,
            **_drawings(say),
        )
    )


def report_name(frozen: Json) -> str:
    """As "Policy attestation, 1 Sep 2026 to 25 Nov 2026": the running header and the PDF's
    title.
    """
    begin, end = frozen["period"]["from"], frozen["period"]["to"]
    return (
        f"Policy attestation, {day(begin, short=True)} to {day(end, short=True)}"
        if begin
        else f"Policy attestation, {day(end)}"
    )


def _footer(frozen: Json) -> str:
    tenant = frozen["tenant"]
    return (
        f"{tenant['classification']}: {tenant['audience']}"
        if tenant["audience"]
        else str(tenant["classification"])
    )


def _drawings(say: Attested) -> dict[str, Any]:
    heads = [
        HEADS.get(each["key"], clip(each["title"], 9))
        for each in say.snapshot["dimensions"]
        if len(each["levels"]) > 1
    ]
    rows = [
        (clip(scope["key"] or "No system named", 18), _balls(say, scope)) for scope in say.now[:6]
    ]
    words = "; ".join(
        f"{scope['key'] or 'no system named'}: {_steps(say, scope['end'])}" for scope in say.now[:6]
    )
    points = say.snapshot["points"]
    return {
        "balls": figures.cover_rows(
            heads, rows, f"How strict each dimension is. Steps of strictness: {words}."
        ),
        "bars": {scope["key"]: _deciders(say, scope) for scope in say.now},
        "moved": _moved(say, _spread(points)) if len(points) > 1 else None,
    }


def _balls(say: Attested, scope: Json) -> list[int]:
    """Level 0 to 4 for each dimension that has levels: how far it is from the most permissive to
    the strictest.
    """
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
            f"{scope['key'] or 'No system named'}: {say.in_one_line(scope)}",
            width=170,
            height=11,
            words={ink: kind for kind, ink in INKS.items()},
        )
    )


def _spread(points: Sequence[Json]) -> list[Json]:
    """The first, the last, and the newest between them, as many as the chart holds."""
    return list(points) if len(points) <= COLUMNS else [points[0], *points[-(COLUMNS - 1) :]]


def _moved(say: Attested, points: Sequence[Json]) -> Markup:
    """Under many columns there is room for the day alone; the picture's description names the
    version too.
    """
    last, days = len(points) - 1, [day(point["at"], short=True)[:-5] for point in points]
    named = [f"{point['label']}, {on}" for point, on in zip(points, days, strict=True)]
    shown = named if len(points) <= WITH_NAMES else days
    steps = [say.strictness(point["values"]).steps for point in points]
    items = [
        charts.ChartColumn(shown[n], steps[n], "l4" if n == last else "l2")
        for n in range(len(points))
    ]
    told = ", ".join(f"{name}: {value:.0f}" for name, value in zip(named, steps, strict=True))
    return charts.for_print(
        charts.columns(items, f"{say.moved_title}. {told}.", width=660, height=150)
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
                else f"The default, tier {tier['name']}"
            ),
        ),
        (
            "Floor",
            f"Version {frozen['floor']['number']}" if frozen["floor"]["number"] else "As built in",
        ),
        ("Keep until", day(doc["keep_until"], missing="not decided")),
        ("Fingerprint", short_digest(print_)),
        ("Supersedes", doc["supersedes"] or "nothing"),
    ]


def _people(frozen: Json) -> list[tuple[str, str, str]]:
    """Who prepared it, who made and approved the newest versions, and for whom it is."""
    rows = [("Prepared", frozen["prepared_by"], day(frozen["requested_at"], short=True))]
    for each in frozen["versions"][-3:]:
        rows.append(
            (
                "Made",
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
    return [*rows, ("For", frozen["tenant"]["audience"] or "not decided", NOTHING)]


def _method(frozen: Json, say: Attested) -> list[tuple[str, str]]:
    most = say.strictness(say.now[0]["end"]).most
    return [
        (
            "Instants",
            (
                f"Everything is told as it was recorded {say.span}; days begin and end at midnight"
                " UTC, and times are UTC. What was recorded afterwards is not in it. The data were"
                " frozen as soon as the report was asked for. That was on"
                f" {instant(frozen['requested_at'])}."
            ),
        ),
        (
            "In force",
            (
                "For each dimension the strictest value of all layers holds: the operator's floor,"
                " the tier, the tenant's overrides, the lane of the system, its own overrides. The"
                " layer named is one whose value is the one in force; where lists of models are cut"
                " down together, all of them are named."
            ),
        ),
        (
            "Steps",
            (
                "A dimension with levels counts a step for each level above its most permissive"
                f" one; {most} make the whole. Numbers and lists have no steps. The count is ours,"
                " for comparing one policy with itself; a step in one dimension is not worth a"
                " step in another."
            ),
        ),
        (
            "Loosening",
            (
                "A version loosens when any dimension of the tenant's own layers becomes weaker for"
                " any system, whatever the floor hides today. It needs a reason and a second"
                " person, and the approval is bound to the digest of exactly that change."
                " Tightening needs one person."
            ),
        ),
        (
            "Waivers",
            (
                "Below the floor in one dimension of one system, for 30 days at most, with a"
                " compensation; asked by one person and agreed by two others."
            ),
        ),
        (
            "Obeyed",
            (
                "Expected are the consumers that had asked in the day before the stop. A consumer"
                " has obeyed when it first had an answer that holds the stop; the time is from the"
                " click to that answer. A consumer that asks rarely is slow by this count, and is"
                " not therefore unsafe."
            ),
        ),
        (
            "Proven",
            (
                "A drill of a whole system proves its features, one of a feature proves that"
                " alone. A switch is proven when its last drill passed no more than"
                f" {frozen['proven_for']} days before the end; dead when that drill failed."
            ),
        ),
        (
            "What it does not say",
            (
                "It attests what the console demanded and answered, not what each product did with"
                " the answer. Values are those of the decision API; a product that does not ask is"
                " not governed by it."
            ),
        ),
    ]


@cache
def _environment() -> Environment:
    own = document.environment().overlay()
    own.filters = own.filters | {
        "shown": shown,
        "speed": speed,
        "moment": moment,
        "capital": capital,
        "many": many,
    }
    return own
