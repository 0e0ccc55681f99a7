"""From a frozen SOC 2 readiness to what is rendered: the HTML and the files attached to it.

Pure, but for `snapshot`.

snapshot(report)        the facts of a run, read now (kinds.py)
build(snapshot)         html, attachments, fingerprint, file name
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

from jinja2 import Environment

from governance.assurance.assessments.coverage import is_proven
from governance.kernel.pdf import Attached
from governance.kernel.spreadsheet_writer import Cell, csv_bytes
from governance.publishing.reports import document, figures
from governance.publishing.reports.document import (
    Built,
    evidence_csv,
    key_name,
    sealed,
    short_digest,
)
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.readiness import snapshot as reading
from governance.publishing.reports.readiness.sentences import (
    CONTROL_TITLE,
    HELD,
    METHOD_TITLE,
    Ready,
)
from governance.publishing.reports.sentences import NOTHING, clip, day, instant, words
from governance.publishing.reports.snapshot import LEVELS, Requirement, canonical, shortfall

CALLED = {"Processing integrity": "Integrity"}  # on the cover
type Json = Mapping[str, Any]


def snapshot(report: ReportRun) -> dict[str, Any]:
    """The criteria of the run's categories at its instant."""
    until = date.fromisoformat(str(report.parameters["to"]))
    told = reading.snapshot(report.parameters["categories"], report.as_of)
    return told | {
        "document": {"number": f"SOC2-READINESS-{until}", "version": "1.0", "until": until}
    }


def build(frozen: Json) -> Built:
    """The report of this snapshot, ready for `kernel.pdf.render`."""
    return document.built(frozen, attachments(frozen), _html)


# ---- the files inside


def attachments(frozen: Json) -> tuple[Attached, ...]:
    """snapshot.json first; the manifest last, because it names the digests of the others."""
    say = Ready(frozen)  # type: ignore[arg-type]
    pieces, found = len(frozen["evidence"]), len(frozen["findings"])
    files = (
        Attached("snapshot.json", canonical(frozen), "Frozen data of this report"),
        Attached(
            "criteria.csv", criteria_csv(say), f"{len(say.rows)} criteria, control by control"
        ),
        Attached("evidence.csv", evidence_csv(frozen), f"{pieces} pieces of evidence with digests"),  # type: ignore[arg-type]
        Attached(
            "findings.csv", findings_csv(frozen), f"{found} open finding{'' if found == 1 else 's'}"
        ),
    )
    framework = {key: frozen["framework"][key] for key in ("key", "version", "digest")}
    chosen = [each["key"] for each in frozen["categories"]]
    return sealed(
        frozen, files, {"framework": framework, "categories": chosen, "period": frozen["period"]}
    )


def criteria_csv(say: Ready) -> bytes:
    """One row for each criterion and control that answers it, formula-safe."""
    head = (
        "criterion",
        "title",
        "proven",
        "level",
        "level name",
        "target",
        "short by",
        "owner",
        "what would close it",
        "control",
        "control title",
        "answers",
        "status",
        "control owner",
        "fresh",
        "due",
        "in review",
        "overdue",
        "missing",
    )
    return csv_bytes(head, [cells for row in say.rows for cells in _cells(row)])


def _cells(row: Requirement) -> list[tuple[Cell, ...]]:
    told = (
        row["ref"],
        row["title"],
        "yes" if is_proven(row["level"]) else "no",
        row["level"],
        LEVELS[row["level"]],
        row["target"],
        shortfall(row),
        row["owner"],
        str(dict(row)["closes"]),
    )
    if not row["controls"]:
        return [(*told, *(None,) * 10)]
    rows: list[tuple[Cell, ...]] = []
    for each in row["controls"]:
        states = [piece["state"] for piece in each["evidence"]]
        counts = (
            states.count("fresh"),
            states.count("due"),
            states.count("in review"),
            states.count("overdue"),
            states.count("missing"),
        )
        rows.append(
            (
                *told,
                each["ref"],
                each["title"],
                each["coverage"],
                each["status_word"],
                each["owner"],
                *counts,
            )
        )
    return rows


def findings_csv(frozen: Json) -> bytes:
    names = ("ref", "requirement", "control", "text", "opened_on", "retest_by", "owner")
    head = ["criterion" if name == "requirement" else name.replace("_", " ") for name in names]
    return csv_bytes(head, [[each[name] for name in names] for each in frozen["findings"]])


# ---- the page


def _html(frozen: Json, files: tuple[Attached, ...], print_: str) -> str:
    say = Ready(frozen)  # type: ignore[arg-type]
    return (
        _environment()
        .get_template("publishing/reports/pdf/readiness/report.html")
        .render(
            s=frozen,
            say=say,
            n=say.figures,
            levels=LEVELS,
            small=False,
            fingerprint=print_,
            created=frozen["requested_at"],
            name=report_name(frozen),
            footer=_footer(frozen),
            key_name=key_name(frozen),
            filename=document.filename(frozen),
            attachments=files,
            base=2,
            method_title=METHOD_TITLE,
            control_title=CONTROL_TITLE,
            method=_method(frozen, say),
            facts=_facts(frozen, print_),
            people=_people(frozen),
            held=HELD,
            indexed=sorted(frozen["evidence"], key=lambda each: (each["control"], each["ref"])),
            rungs=document.RUNGS,
            closed=len(
                {ref for action in say.figures.actions for ref, gained in action.shares if gained}
            ),
            **_drawings(frozen, say),
        )
    )


def report_name(frozen: Json) -> str:
    """As "SOC 2 readiness, 25 November 2026": the running header and the PDF's title."""
    return f"SOC 2 readiness, {day(frozen['as_of'])}"


def _footer(frozen: Json) -> str:
    tenant = frozen["tenant"]
    return (
        f"{tenant['classification']}: {tenant['audience']}"
        if tenant["audience"]
        else str(tenant["classification"])
    )


def _drawings(frozen: Json, say: Ready) -> dict[str, Any]:
    n, titles = say.figures, {each["key"]: each["title"] for each in frozen["functions"]}
    under = {each["key"]: each["categories"] for each in frozen["functions"]}
    rows: list[Any] = [
        {
            "key": CALLED.get(each["title"], each["title"]),
            "categories": [c for top in each["series"] for c in under.get(top, ())],
        }
        for each in frozen["categories"]
    ]
    told = "; ".join(
        f"{title}: {each.proven} of {each.total} proven" for title, each in say.by_category.items()
    )
    named = replace(
        n,
        by_function={
            clip(f"{key} {titles[key].removeprefix('Privacy: ')}", 26): each
            for key, each in n.by_function.items()
        },
    )
    bars = "; ".join(
        f"{key}: {each.proven} of {each.total} proven" for key, each in n.by_function.items()
    )
    added = "; ".join(f"action {each.number}: {each.points}" for each in n.actions)
    return {
        "dots": figures.cover_dots(rows, f"One circle for each criterion. {told}.", label=66.0),
        "chart": (
            figures.levels_by_function(
                named,
                f"{say.levels_heading}. {bars}.",
                left=142,
                width=236,
                row=20,
                tall=12,
                noun="criteria",
            )
            if n.by_function
            else None
        ),
        "steps": (
            figures.steps(
                n.actions, n.whole, len(n.top), f"{say.steps_heading}. Points by {added}."
            )
            if n.top
            else None
        ),
    }


def _facts(frozen: Json, print_: str) -> list[tuple[str, str]]:
    doc, held = frozen["document"], frozen["assessment"]
    return [
        ("Title", report_name(frozen)),
        ("Number", doc["number"]),
        ("Version", doc["version"]),
        ("Classification", frozen["tenant"]["classification"]),
        ("Criteria", f"{frozen['framework']['title']} {frozen['framework']['version']}"),
        (
            "Targets from",
            (
                f"{held['title']}, revision {held['revision']}, {held['status']}"
                if held
                else "no assessment: level 3 for each"
            ),
        ),
        ("Keep until", day(doc["keep_until"], missing="not decided")),
        ("Fingerprint", short_digest(print_)),
        ("Supersedes", doc["supersedes"] or "nothing"),
    ]


def _people(frozen: Json) -> list[tuple[str, str, str]]:
    return [
        ("Prepared", frozen["prepared_by"], day(frozen["requested_at"], short=True)),
        ("Signed off", "not asked for: status is derived", NOTHING),
        ("For", frozen["tenant"]["audience"] or "not decided", NOTHING),
    ]


def _method(frozen: Json, say: Ready) -> list[tuple[str, str]]:
    framework, held, whole = frozen["framework"], frozen["assessment"], say.figures.whole
    targets = (
        f"The target of each criterion comes from the assessment {clip(held['title'], 60)},"
        f" revision {held['revision']}."
        if held
        else (
            "No assessment of the criteria was begun, so level 3, evidenced at the date, is the"
            " target of each."
        )
    )
    return [
        (
            "Criteria",
            (
                f"{framework['title']} {framework['version']}; in scope: {say.scope.lower()},"
                f" {words(whole.total)} criteria. Titles are our own short names: the text of the"
                " criteria belongs to their publisher and is not printed. The list used has the"
                f" digest {short_digest(framework['digest'])}."
            ),
        ),
        (
            "Status",
            (
                "The status of a control follows from its tests, from the dates and reviews of its"
                " evidence, and from what it rests on. Nobody types it in. It is told for the"
                f" period {day(frozen['period']['from'])} to {day(frozen['period']['to'])} as it"
                f" stood on {instant(frozen['as_of'])}."
            ),
        ),
        (
            "Levels",
            (
                "The five levels are our scale; the criteria have none. What each takes stands in"
                " the table below."
            ),
        ),
        ("Proven", document.PROVEN.replace("requirement", "criterion")),
        (
            "Ready",
            (
                f"{targets} A criterion is ready when it is at its target. A point is one level of"
                f" one criterion, up to its target; {words(whole.reached)} of {words(whole.points)}"
                " are reached."
            ),
        ),
        (
            "Evidence",
            (
                "A piece is fresh until its due date, due shortly before it, overdue after it, in"
                " review until another person accepts it, and missing when it was expected and"
                " never came. A piece that supports several criteria counts once in the totals."
            ),
        ),
        (
            "Gaps",
            (
                "Actions are ranked by the points they move. A level that two actions would close"
                " counts for the first of them, so the sum is never more than what is missing."
            ),
        ),
        (
            "Findings",
            (
                "Open findings of Type II testing stand here until a retest passes; a failed test"
                " without a finding stands here by itself. They are told as they stood at the"
                " moment that the report is about: what was raised later is left out, and what was"
                " closed later stands here."
            ),
        ),
        (
            "What it does not say",
            (
                "It is no auditor's opinion. Whether a control is well designed for its criterion"
                " is the auditor's judgement, and evidence that exists outside the console was not"
                " seen."
            ),
        ),
    ]


@cache
def _environment() -> Environment:
    return document.environment()
