"""The layout of a SOC 2 readiness report: from its frozen snapshot to HTML and attached files.

snapshot(report)        the facts of a run, read now (kinds.py)
build(snapshot)         html, attachments, fingerprint, file name

Pure, except for `snapshot`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from governance.kernel.pictures.pdf import Attachment
from governance.publishing.reports.ai_rmf import drawings
from governance.publishing.reports.ai_rmf.method import RUNGS
from governance.publishing.reports.ai_rmf.snapshot import LEVELS
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
from governance.publishing.reports.readiness import service_levels
from governance.publishing.reports.readiness import snapshot as reading
from governance.publishing.reports.readiness.attachments import attachments
from governance.publishing.reports.readiness.method import method
from governance.publishing.reports.readiness.sentences import CONTROL_TITLE, METHOD_TITLE, Ready
from governance.publishing.reports.wording import NO_VALUE, clip, day

COVER_NAMES = {"Processing integrity": "Integrity"}
MAX_CONTROLS = 6  # Named in a row. The rest is in criteria.csv.
type Json = Mapping[str, Any]


def snapshot(report: ReportRun) -> dict[str, Any]:
    """Return the facts on the criteria of the run's categories, at its instant."""
    until = date.fromisoformat(str(report.parameters["to"]))
    chosen = report.parameters["categories"]
    scope = (
        "" if len(chosen) == len(reading.CATEGORIES) else "".join(f"{c.upper()}-" for c in chosen)
    )
    return reading.snapshot(chosen, report.as_of) | {
        "document": {"number": f"SOC2-READINESS-{scope}{until}", "version": "1.0", "until": until}
    }


def build(frozen: Json) -> Built:
    """Return the report of this snapshot, ready for `kernel.pictures.pdf.render`."""
    return build_document(frozen, attachments(frozen), _html)


def _html(frozen: Json, files: tuple[Attachment, ...], print_: str) -> str:
    say = Ready(frozen)  # type: ignore[arg-type]
    levels_now = frozen.get("service_levels")
    return (
        environment()
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
            footer=footer(frozen),
            key_name=key_name(frozen),
            filename=filename(frozen),
            attachments=files,
            base=2 if levels_now is None else 3,
            levels_now=levels_now,
            service_levels_title=service_levels.title(levels_now) if levels_now else "",
            method_title=METHOD_TITLE,
            control_title=CONTROL_TITLE,
            method=method(frozen, say),
            facts=_facts(frozen, print_),
            people=_people(frozen),
            max_controls=MAX_CONTROLS,
            indexed=sorted(frozen["evidence"], key=lambda each: (each["control"], each["ref"])),
            rungs=RUNGS,
            closed=len(
                {ref for action in say.figures.actions for ref, gained in action.shares if gained}
            ),
            **_drawings(frozen, say),
        )
    )


def report_name(frozen: Json) -> str:
    """Return the running header and PDF title, such as "SOC 2 readiness, 25 November 2026"."""
    return f"SOC 2 readiness, {day(frozen['as_of'])}"


def _drawings(frozen: Json, say: Ready) -> dict[str, Any]:
    n, titles = say.figures, {each["key"]: each["title"] for each in frozen["functions"]}
    under = {each["key"]: each["categories"] for each in frozen["functions"]}
    rows: list[Any] = [
        {
            "key": COVER_NAMES.get(each["title"], each["title"]),
            "categories": [c for top in each["series"] for c in under.get(top, ())],
        }
        for each in frozen["categories"]
    ]
    by_category = "; ".join(
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
        "dots": drawings.cover_dots(
            rows, f"One circle for each criterion. {by_category}.", label=66.0
        ),
        "chart": (
            drawings.levels_by_function(
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
            drawings.steps(
                n.actions, n.whole, len(n.top), f"{say.steps_heading}. Points by {added}."
            )
            if n.top
            else None
        ),
    }


def _facts(frozen: Json, print_: str) -> list[tuple[str, str]]:
    doc, assessment = frozen["document"], frozen["assessment"]
    return [
        ("Title", report_name(frozen)),
        ("Number", doc["number"]),
        ("Version", doc["version"]),
        ("Classification", frozen["tenant"]["classification"]),
        ("Criteria", f"{frozen['framework']['title']} {frozen['framework']['version']}"),
        (
            "Targets from",
            (
                f"{assessment['title']}, revision {assessment['revision']}, {assessment['status']}"
                if assessment
                else "level 3 for each: no assessment"
            ),
        ),
        ("Keep until", day(doc["keep_until"], missing="not set")),
        ("Fingerprint", short_digest(print_)),
        ("Supersedes", doc["supersedes"] or "none"),
        *form_facts(frozen),
    ]


def _people(frozen: Json) -> list[tuple[str, str, str]]:
    return [
        ("Prepared", frozen["prepared_by"], day(frozen["requested_at"], short=True)),
        ("Signed off", "not required: status is derived", NO_VALUE),
        ("For", frozen["tenant"]["audience"] or "not set", NO_VALUE),
    ]
