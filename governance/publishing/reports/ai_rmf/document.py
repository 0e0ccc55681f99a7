"""The layout of an AI RMF report: from its frozen snapshot to HTML and attached files.

    build(snapshot) -> Built     html, attachments, fingerprint, file name: the input of
                                 kernel/pdf.render

Pure: the same snapshot gives the same bytes. Numbers come from figures.py, sentences from
sentences.py, drawings from drawings.py, files from attachments.py.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from governance.kernel.pictures.pdf import Attachment
from governance.publishing.reports.ai_rmf import drawings
from governance.publishing.reports.ai_rmf.attachments import attachments
from governance.publishing.reports.ai_rmf.figures import proven_at
from governance.publishing.reports.ai_rmf.method import RUNGS, method
from governance.publishing.reports.ai_rmf.risk_section import risk_section
from governance.publishing.reports.ai_rmf.section_sentences import CONTROL_TITLE, METHOD_TITLE
from governance.publishing.reports.ai_rmf.sentences import Sentences
from governance.publishing.reports.ai_rmf.snapshot import (
    LEVELS,
    Function,
    Requirement,
    Snapshot,
    of_function,
    requirements,
    shortfall,
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
from governance.publishing.reports.page_environment import environment
from governance.publishing.reports.wording import NO_VALUE, clip, day, many_digits

SMALL = 12  # Requirements. The sections of so small a report share pages.


def build(snapshot: Snapshot) -> Built:
    """Return the report of this snapshot, ready for `kernel.pictures.pdf.render`."""
    return build_document(snapshot, attachments(snapshot), _html)


def _html(snapshot: Snapshot, files: tuple[Attachment, ...], print_: str) -> str:
    say, risks = Sentences(snapshot), risk_section(snapshot)
    lead = 3 if risks is None else 4  # Sections before those of the functions.
    template = environment().get_template("publishing/reports/pdf/report.html")
    return template.render(
        s=snapshot,
        say=say,
        n=say.figures,
        levels=LEVELS,
        balls="○◔◑◕●",
        small=say.figures.whole.total <= SMALL,
        fingerprint=print_,
        created=snapshot["requested_at"],
        name=report_name(snapshot),
        footer=f"Draft. {footer(snapshot)}" if say.draft else footer(snapshot),
        key_name=key_name(snapshot),
        filename=filename(snapshot),
        attachments=files,
        risks=risks,
        lead=lead,
        base=lead + len(snapshot["functions"]),
        method_title=METHOD_TITLE,
        control_title=CONTROL_TITLE,
        closed=len(
            {ref for action in say.figures.actions for ref, gained in action.shares if gained}
        ),
        uncovered=_uncovered(say),
        unsigned=[row for row in say.by_ref.values() if row["sign_off"] is None],
        endings={each["key"]: _ending(snapshot, each) for each in snapshot["functions"]},
        signatures=[_signature_row(each) for each in snapshot["functions"]],
        indexed=sorted(snapshot["evidence"], key=lambda each: (each["control"], each["ref"])),
        method=method(snapshot, say.figures),
        rungs=RUNGS,
        facts=_facts(snapshot, print_),
        people=_people(snapshot),
        **_drawings(snapshot, say),
    )


def report_name(snapshot: Snapshot) -> str:
    """Return the running header and PDF title.

    For example "AI RMF compliance report, to 30 September 2026".
    """
    return f"AI RMF compliance report, to {day(snapshot['assessment']['period']['to'])}"


def _drawings(snapshot: Snapshot, say: Sentences) -> dict[str, Any]:
    n, movement = say.figures, snapshot["movement"]
    dots = drawings.cover_dots(snapshot["functions"], f"{say.position}. {say.levels_in_words}")
    columns = ", ".join(f"{proven_at(each)} in {each['label']}" for each in movement)
    bars = "; ".join(
        f"{key}: {each.proven} of {each.total} proven" for key, each in n.by_function.items()
    )
    added = "; ".join(f"action {each.number}: {each.points}" for each in n.actions)
    return {
        "dots": dots,
        "quarters": (
            drawings.levels_by_quarter(
                movement, f"{say.quarters_heading}. Requirements proven were {columns}."
            )
            if movement
            else None
        ),
        "functions_chart": drawings.levels_by_function(n, f"{say.functions_heading}. {bars}."),
        "steps": (
            drawings.steps(
                n.actions, n.whole, len(n.top), f"{say.steps_heading}. Points by {added}."
            )
            if n.top
            else None
        ),
    }


def _uncovered(say: Sentences) -> list[Requirement]:
    planned: dict[str, int] = {}
    for action in say.figures.actions:
        for ref, gained in action.shares:
            planned[ref] = planned.get(ref, 0) + gained
    rows = [
        row for row in say.by_ref.values() if shortfall(row) > 0 and not planned.get(row["ref"])
    ]
    return sorted(rows, key=shortfall, reverse=True)


def _signature_row(function: Function) -> dict[str, Any]:
    rows = list(of_function(function))
    signed = [row["sign_off"] for row in rows if row["sign_off"]]
    last = max(signed, key=lambda each: each["at"], default=None)
    return {
        "key": function["key"],
        "total": len(rows),
        "concluded": sum(row["conclusion"] is not None for row in rows),
        "signed": len(signed),
        "open": len(rows) - len(signed),
        "last": f"{clip(last['by'], 24)}, {day(last['at'], short=True)}" if last else "none",
    }


def _ending(snapshot: Snapshot, function: Function) -> dict[str, Any]:
    """Return the end of a function's section.

    It has the open findings, and who assessed and signed off how many requirements.
    """
    rows = list(of_function(function))
    refs = {row["ref"] for row in rows}
    assessed = [
        (row["conclusion"]["assessor"], row["conclusion"]["at"], None)
        for row in rows
        if row["conclusion"]
    ]
    signed = [
        (row["sign_off"]["by"], row["sign_off"]["at"], row["sign_off"]["entry"])
        for row in rows
        if row["sign_off"]
    ]
    return {
        "findings": [each for each in snapshot["findings"] if each["requirement"] in refs],
        "signed": len(signed),
        "total": len(rows),
        "people": [*_role("Assessor", assessed), *_role("Reviewer, another person", signed)],
    }


def _role(
    role: str, done: Sequence[tuple[str, str, str | int | None]]
) -> list[tuple[str, str, int, str]]:
    rows = []
    for name in sorted({name for name, *_ in done}):
        times = [(at, entry) for other, at, entry in done if other == name]
        at, entry = max(times, key=itemgetter(0))
        rows.append(
            (
                role,
                clip(name, 34),
                len(times),
                f"{day(at, short=True)}, entry {entry}" if entry else day(at, short=True),
            )
        )
    return rows or [(role, "none yet", 0, NO_VALUE)]


def _facts(snapshot: Snapshot, print_: str) -> list[tuple[str, str]]:
    document, assessment = snapshot["document"], snapshot["assessment"]
    closed = (
        f"closed {day(assessment['closed_at'])}"
        if assessment["closed_at"]
        else assessment["status"]
    )
    return [
        ("Title", report_name(snapshot)),
        ("Number", document["number"]),
        ("Version", document["version"]),
        ("Assessment", f"Revision {assessment['revision']}, {closed}"),
        ("Classification", snapshot["tenant"]["classification"]),
        ("Keep until", day(document["keep_until"], missing="not set")),
        ("Fingerprint", short_digest(print_)),
        (
            "Assessment digest",
            short_digest(assessment["digest"]) if assessment["digest"] else "none: still open",
        ),
        ("Supersedes", document["supersedes"] or "none"),
        *form_facts(snapshot),
    ]


def _people(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    rows = list(requirements(snapshot))
    prepared = [("Prepared", snapshot["prepared_by"], day(snapshot["requested_at"], short=True))]
    assessed = _by_person(
        [
            (row["conclusion"]["assessor"], row["conclusion"]["at"])
            for row in rows
            if row["conclusion"]
        ]
    )
    signed = _by_person(
        [(row["sign_off"]["by"], row["sign_off"]["at"]) for row in rows if row["sign_off"]]
    )
    lines = [
        *prepared,
        *(("Assessed", *each) for each in assessed),
        *(("Signed off", *each) for each in signed),
    ]
    if not signed:
        lines.append(("Signed off", "none yet", NO_VALUE))
    return [*lines, ("For", snapshot["tenant"]["audience"] or "not set", NO_VALUE)]


def _by_person(done: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the three busiest people as ("M. Rossi, 40 requirements", date of the last)."""
    names = sorted(
        {name for name, _ in done},
        key=lambda name: (-sum(name == other for other, _ in done), name),
    )
    shown = []
    for name in names[:3]:
        dates = [at for other, at in done if other == name]
        shown.append(
            (
                f"{clip(name, 30)}, {many_digits(len(dates), 'requirement')}",
                day(max(dates), short=True),
            )
        )
    return shown
