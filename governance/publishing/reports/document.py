"""From a frozen snapshot to what is rendered: the HTML of the report and the files attached to it.

    build(snapshot) -> Built     html, attachments, fingerprint, file name: the input of
                                 kernel/pdf.render
    attachments(snapshot)        snapshot.json, requirements.csv, evidence.csv, manifest.json

Every kind of report shares: built, sealed (the manifest over its files), environment, filename;
kinds.py names the kinds.

Pure: the same snapshot gives the same bytes. Numbers come from snapshot.py, sentences from
sentences.py, drawings from figures.py.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from governance.assurance.assessments.coverage import RULE, is_proven
from governance.assurance.evidence.freshness import CURRENT
from governance.kernel.pdf import Attached
from governance.kernel.spreadsheet_writer import Cell, csv_bytes
from governance.publishing.reports import figures as drawings
from governance.publishing.reports.sentences import (
    CONTROL_TITLE,
    METHOD_TITLE,
    NB,
    NOTHING,
    Sentences,
    anchor,
    capital,
    clip,
    day,
    hold,
    instant,
    many,
    sentence,
)
from governance.publishing.reports.snapshot import (
    LEVELS,
    Figures,
    Function,
    IndexedEvidence,
    Requirement,
    Snapshot,
    canonical,
    fingerprint,
    is_met,
    of_function,
    per_cent,
    proven_at,
    requirements,
    shortfall,
)

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
SMALL = 12  # requirements: sections of so small a report follow each other on a page
PER_ROW = 7  # cells of the heat map beside each other
MANIFEST_SCHEMA = "governance.report-manifest/1"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Built:
    """Everything that rendering and signing need. `fingerprint` in hex; `at` dates the file."""

    html: str
    attachments: tuple[Attached, ...]
    fingerprint: str
    filename: str
    at: datetime

    @property
    def identifier(self) -> bytes:
        """The PDF's /ID: 16 bytes that the fingerprint decides."""
        return bytes.fromhex(self.fingerprint[:32])


def build(snapshot: Snapshot) -> Built:
    """The report of this snapshot, ready for `kernel.pdf.render`."""
    return built(snapshot, attachments(snapshot), _html)


def built[S: Mapping[str, Any]](
    snapshot: S, files: tuple[Attached, ...], html: Callable[[S, tuple[Attached, ...], str], str]
) -> Built:
    """Of any kind: its attachments (the frozen data first), and its page from snapshot, attachments
    and fingerprint.
    """
    print_ = fingerprint(files[0].data)
    at = datetime.fromisoformat(snapshot["requested_at"])
    return Built(html(snapshot, files, print_), files, print_, filename(snapshot), at)


def filename(snapshot: Mapping[str, Any]) -> str:
    """The document's number as a file name: "ACME-RMF-2026-Q3.pdf"."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", snapshot["document"]["number"]).strip("-.")
    return f"{stem[:100] or 'report'}.pdf"


# --- The files inside -----------------------------------------------------------------------------


def attachments(snapshot: Snapshot) -> tuple[Attached, ...]:
    """snapshot.json first; the manifest last, because it names the digests of the others."""
    pieces, rows = len(snapshot["evidence"]), sum(1 for _ in requirements(snapshot))
    files = (
        Attached("snapshot.json", canonical(snapshot), "Frozen data of this report"),
        Attached(
            "requirements.csv",
            requirements_csv(snapshot),
            f"{rows} requirements with levels and reasons",
        ),
        Attached(
            "evidence.csv", evidence_csv(snapshot), f"{pieces} pieces of evidence with digests"
        ),
    )
    return sealed(snapshot, files, _parameters(snapshot))


def sealed(
    snapshot: Mapping[str, Any], files: tuple[Attached, ...], parameters: Mapping[str, Any]
) -> tuple[Attached, ...]:
    """The files and the manifest over them; the frozen data comes first."""
    return (
        *files,
        Attached(
            MANIFEST,
            manifest(snapshot, files, parameters),
            "Digests of the files above, and the parameters",
        ),
    )


def _parameters(snapshot: Snapshot) -> dict[str, Any]:
    assessment = snapshot["assessment"]
    return {
        "framework": {key: snapshot["framework"][key] for key in ("key", "version", "digest")},
        "scope": assessment["scope"],
        "period": assessment["period"],
        "revision": assessment["revision"],
        "profile": snapshot["profile"]["name"],
    }


def requirements_csv(snapshot: Snapshot) -> bytes:
    """One row for each requirement, formula-safe."""
    head = (
        "requirement",
        "title",
        "outcome",
        "proven",
        "level",
        "level name",
        "target",
        "short by",
        "owner",
        "controls",
        "pieces of evidence",
        "reasons",
        "conclusion",
        "assessor",
        "concluded at",
        "signed off by",
        "signed off at",
        "audit-log entry",
    )
    return csv_bytes(head, [_requirement_row(each) for each in requirements(snapshot)])


def _requirement_row(row: Requirement) -> tuple[Cell, ...]:
    done, signed = row["conclusion"], row["sign_off"]
    pieces = sum(len(control["evidence"]) for control in row["controls"])
    reasons = " ".join(
        f"{sentence(each['fact'])} {sentence(each['consequence'])}".strip()
        for each in row["reasons"]
    )
    return (
        row["ref"],
        row["title"],
        row["outcome"],
        "yes" if is_proven(row["level"]) else "no",
        row["level"],
        LEVELS[row["level"]],
        row["target"],
        shortfall(row),
        row["owner"],
        " ".join(control["ref"] for control in row["controls"]),
        pieces,
        reasons,
        *((done["text"], done["assessor"], done["at"]) if done else (None, None, None)),
        *((signed["by"], signed["at"], signed["entry"]) if signed else (None, None, None)),
    )


def evidence_csv(snapshot: Snapshot) -> bytes:
    """One row for each piece of evidence with its full digest, formula-safe."""
    names = (
        "ref",
        "title",
        "state",
        "control",
        "source",
        "collector",
        "collected_on",
        "due_on",
        "period_from",
        "period_to",
        "sha256",
    )
    return csv_bytes(
        [name.replace("_", " ") for name in names],
        [_cells(each, names) for each in snapshot["evidence"]],
    )


def _cells(row: IndexedEvidence, names: Sequence[str]) -> list[Cell]:
    cells = dict(row)
    return [str(cells[name]) if cells.get(name) is not None else None for name in names]


def manifest(
    snapshot: Mapping[str, Any], files: Sequence[Attached], parameters: Mapping[str, Any]
) -> bytes:
    """Digest and size of each file, the parameters of the run, the log behind it:

    JSON with sorted keys.
    """
    document = snapshot["document"]
    content = {
        "schema": MANIFEST_SCHEMA,
        "fingerprint": fingerprint(files[0].data),
        "attachments": [
            {"name": each.name, "sha256": _sha256(each.data), "size": len(each.data)}
            for each in files
        ],
        "parameters": {
            "kind": snapshot["schema"],
            "tenant": snapshot["tenant"]["slug"],
            "as_of": snapshot["as_of"],
            "requested_at": snapshot["requested_at"],
            "document": document["number"],
            "version": document["version"],
            **parameters,
        },
        "log": snapshot["log"],
        "entry": snapshot.get("entry"),
        "signing_key": snapshot["signing_key"],
    }
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True).encode()


# --- The page -------------------------------------------------------------------------------------


def _html(snapshot: Snapshot, files: tuple[Attached, ...], print_: str) -> str:
    say = Sentences(snapshot)
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
        footer=_footer(say),
        key_name=key_name(snapshot),
        filename=filename(snapshot),
        attachments=files,
        base=3 + len(snapshot["functions"]),
        method_title=METHOD_TITLE,
        control_title=CONTROL_TITLE,
        closed=len(
            {ref for action in say.figures.actions for ref, gained in action.shares if gained}
        ),
        uncovered=_uncovered(say),
        waiting=[row for row in say.by_ref.values() if row["sign_off"] is None],
        endings={each["key"]: _ending(snapshot, each) for each in snapshot["functions"]},
        signatures=[_signature_row(each) for each in snapshot["functions"]],
        indexed=sorted(snapshot["evidence"], key=lambda each: (each["control"], each["ref"])),
        method=_method(snapshot, say.figures),
        rungs=RUNGS,
        facts=_facts(snapshot, print_),
        people=_people(snapshot),
        **_drawings(snapshot, say),
    )


def report_name(snapshot: Snapshot) -> str:
    """As "AI RMF compliance report, to 30 September 2026": the running header and the PDF's
    title.
    """
    return f"AI RMF compliance report, to {day(snapshot['assessment']['period']['to'])}"


def _footer(say: Sentences) -> str:
    tenant = say.snapshot["tenant"]
    text = (
        f"{tenant['classification']}: {tenant['audience']}"
        if tenant["audience"]
        else tenant["classification"]
    )
    return f"Draft. {text}" if say.draft else text


def key_name(snapshot: Mapping[str, Any]) -> str:
    """The signing key's name and id, as the cover prints it."""
    return "+".join(snapshot["signing_key"].split("+", 2)[:2])


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
    """What closes a function's section: its open findings, and who assessed and signed off how many
    requirements.
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
    return rows or [(role, "nobody yet", 0, NOTHING)]


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
        ("Keep until", day(document["keep_until"], missing="not decided")),
        ("Fingerprint", short_digest(print_)),
        (
            "Assessment digest",
            short_digest(assessment["digest"]) if assessment["digest"] else "none: still open",
        ),
        ("Supersedes", document["supersedes"] or "nothing"),
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
        lines.append(("Signed off", "nobody yet", NOTHING))
    return [*lines, ("For", snapshot["tenant"]["audience"] or "not decided", NOTHING)]


def _by_person(done: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The three busiest as ("M. Rossi, 40 requirements", date of the last)."""
    names = sorted(
        {name for name, _ in done},
        key=lambda name: (-sum(name == other for other, _ in done), name),
    )
    shown = []
    for name in names[:3]:
        dates = [at for other, at in done if other == name]
        shown.append(
            (
                f"{clip(name, 30)}, {len(dates)} requirement{'' if len(dates) == 1 else 's'}",
                day(max(dates), short=True),
            )
        )
    return shown


RUNGS = tuple((level, sentence(RULE[level])) for level in reversed(range(len(RULE))))
PROVEN = (
    "A requirement is proven at level 3 or above: at least one control covers it in full, and every"
    " control mapped to it has all of its evidence accepted by a second person and current, with no"
    " failed test. A level counts only what is evidenced: a control without accepted evidence adds"
    " nothing. Evidence counts until its due date."
)


def _method(snapshot: Snapshot, n: Figures) -> list[tuple[str, str]]:
    framework, profile = snapshot["framework"], snapshot["profile"]
    approved = (
        f"approved on {day(profile['approved_on'])}"
        if profile["approved_on"]
        else "not yet approved"
    )
    return [
        (
            "Framework",
            (
                f"{framework['title']} {framework['version']}, {many(n.whole.total, 'requirement')}"
                " in scope. Titles of requirements are our own short names; the catalogue used has"
                f" the digest {short_digest(framework['digest'])}."
            ),
        ),
        (
            "Levels",
            (
                "The five levels are our scale; the framework has none. The console derives each"
                " level from the controls, their tests and their evidence as they stood at the"
                " moment named on the cover. No person types a level in; where an assessor judges"
                " otherwise, both are printed."
            ),
        ),
        ("Proven", PROVEN),
        (
            "Target and points",
            (
                f"The target of each requirement comes from {profile['name']}, {approved}. A point"
                f" is one level of one requirement, up to its target: {n.whole.points} make the"
                f" whole, {n.whole.reached} are reached. Coverage is the share reached; what goes"
                " beyond a target counts for nothing. It is rounded, but never up to 100 nor down"
                " to 0."
            ),
        ),
        (
            "Evidence",
            (
                "A piece is fresh until its due date, due shortly before it, overdue after it, and"
                " missing when it was expected and never came. Its digest is that of the file as it"
                " was collected."
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
            "Sign-off",
            (
                "A conclusion is written by one person and signed off by another; each signature is"
                " an entry of the audit log. While one is missing the report is marked as a draft."
            ),
        ),
        (
            "What it does not say",
            (
                "A level says what can be shown, not how safe a system is. Evidence that exists"
                " outside the console was not seen. The framework is voluntary, and this report is"
                " no certificate."
            ),
        ),
    ]


# --- Filters --------------------------------------------------------------------------------------


@cache
def environment() -> Environment:
    """Templates of all kinds, with the filters that they share."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "day": day,
        "short_day": lambda value, missing=NOTHING: day(value, short=True, missing=missing),
        "instant": instant,
        "clip": clip,
        "hold": hold,
        "capital": capital,
        "sentence": sentence,
        "many": many,
        "short": shortfall,
        "met": is_met,
        "short_digest": short_digest,
        "groups": lambda digits: " ".join(re.findall(".{1,8}", digits)),
        "sha256": _sha256,
        "anchor": anchor,
        "nbsp": lambda text: text.replace(" ", NB),
        "tail": lambda ref: "." + ref.rsplit(".", 1)[-1] if "." in ref else ref.rsplit(" ", 1)[-1],
        "known": lambda value: NOTHING if value is None else value,
        "chunks": _chunks,
        "current_of": _current_of,
        "size": size,
        "share": lambda pair: NOTHING if per_cent(*pair) is None else f"{per_cent(*pair)}%",
    }
    return environment


def short_digest(digest: str) -> str:
    """First eight, ellipsis, last four."""
    # the number is plain from its line
    return f"{digest[:8]}…{digest[-4:]}" if len(digest) > 12 else digest  # noqa: PLR2004


def size(count: int) -> str:
    """Bytes as "61 KB" or "1.9 MB"."""
    if count < 1_000:  # noqa: PLR2004 - the number is plain from its line
        return f"{count}{NB}bytes"
    return (
        f"{count / 1_000_000:.1f}{NB}MB" if count >= 1_000_000 else f"{round(count / 1_000)}{NB}KB"  # noqa: PLR2004
    )


def _chunks(rows: Sequence[Requirement]) -> Iterator[Sequence[Requirement]]:
    return (rows[start : start + PER_ROW] for start in range(0, len(rows), PER_ROW))


def _current_of(row: Requirement) -> str:
    states = [piece["state"] for control in row["controls"] for piece in control["evidence"]]
    return f"{sum(state in CURRENT for state in states)} of {len(states)}" if states else "0"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
