"""What stands in an evidence package, gathered at one instant: data in, files out.

    gather(engagement) -> Contents         everything but the bytes of the evidence, in one snapshot
    contents.payload() -> [Payload]        the files that are made from it; evidence is added by the
                                           job

The folders: evidence/<control>/<evidence>/v<number>-<name>, controls.csv, requests.csv, testing/,
audit-log/, and index.html with index.json, which open offline and name every file with its digest.
"""

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from governance.assurance.engagements import queries
from governance.assurance.engagements.bagit import Payload
from governance.assurance.engagements.models import Engagement
from governance.assurance.evidence.models import EvidenceVersion
from governance.assurance.testing import queries as testing
from governance.assurance.testing.sampling import METHOD, lines
from governance.kernel import clock, current, spreadsheet_writer
from governance.kernel.db import session

TEMPLATES = Path(__file__).parents[3] / "templates"
PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
RESERVED = frozenset(
    {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}
)  # of Windows
FOLDER, NAME = 40, 60  # letters of a folder and of a file: a whole path stays below Windows' 260
FORMAT = "governance.evidence-package/1"
LOG = "audit-log/extract.jsonl"


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file of evidence and where it stands in the package."""

    version: EvidenceVersion
    path: str


@dataclass(slots=True)
class Contents:
    """The package but for the bytes of evidence.

    `index` is what index.json says, `made` the files made from data, each packed.
    """

    name: str
    index: dict[str, Any]
    stored: list[PackagedFile]
    made: dict[str, bytes] = field(default_factory=dict)

    def payload(self) -> Iterator[Payload]:
        """The files that were made from the data, the index last."""
        for path, content in sorted(self.made.items()):
            yield _whole(path, zlib.decompress(content))
        yield _whole("index.json", json.dumps(self.index, ensure_ascii=False, indent=1).encode())
        yield _whole("index.html", page(self.index).encode())

    @property
    def octets(self) -> int:
        return sum(each.version.size or 0 for each in self.stored)


def packed(content: bytes) -> bytes:
    """All that was made from data is held until the evidence is through: a tenth of its size."""
    return zlib.compress(content, 6)


def _whole(path: str, content: bytes) -> Payload:
    return Payload(path, lambda: (content,), packed=True)


def plain(name: str, most: int = 80) -> str:
    """A name that any file system takes, also Windows' and one that folds case, and that no
    manifest has to escape.
    """
    stem, dot, suffix = PLAIN.sub("_", name).strip(".").rstrip("_").rpartition(".")
    stem, suffix = stem.strip("._") or ("file" if dot else ""), suffix if dot else suffix.strip("_")
    whole = f"{stem[: most - 10]}{dot}{suffix[:9]}" if dot else suffix[:most]
    whole = whole.rstrip(".") or "file"
    return f"_{whole}" if whole.split(".", 1)[0].upper() in RESERVED else whole


def gather(engagement: Engagement, keys: Sequence[str], checkpoint: str) -> Contents:
    """Read everything that the package tells, in the present transaction (a snapshot)."""
    who = current.actor()
    files, controls = queries.files(engagement), queries.controls_in(engagement)
    stored = [
        PackagedFile(each.version, _path(each))
        for each in files
        if each.version.storage_key is not None and each.gone is None
    ]
    paths = {each.version.id: each.path for each in stored}
    name = plain(f"{who.tenant_slug}-{engagement.ref}")
    index: dict[str, Any] = {
        "format": FORMAT,
        "package": name,
        "tenant": who.tenant_name,
        "firm": engagement.firm,
        "engagement": engagement.ref,
        "scope": queries.framework_of(engagement),
        "criteria": engagement.criteria,
        "made_at": _said(clock.now()),
        "period": [_said(engagement.period_from), _said(engagement.period_to)],
        "fieldwork": [_said(engagement.fieldwork_from), _said(engagement.fieldwork_to)],
        "evidence": [_evidence(each, paths.get(each.version.id)) for each in files],
        "controls": _controls(engagement, controls, files, paths),
        "requests": _requests(engagement, paths),
        "log": {
            "extract": LOG,
            "checkpoint": "audit-log/checkpoint.txt",
            "keys": "audit-log/keys.txt",
        },
    }
    contents = Contents(name, index, stored)
    contents.made |= _tables(index) | _testing(engagement, {i for i, _, _ in controls}, index)
    contents.made["audit-log/checkpoint.txt"] = packed(checkpoint.encode())
    contents.made["audit-log/keys.txt"] = packed("".join(f"{key}\n" for key in keys).encode())
    told = (
        _environment()
        .get_template("assurance/engagements/verify.txt")
        .render(index=index, key=keys[0])
    )
    contents.made["VERIFY.txt"] = packed(told.encode())
    return contents


def _path(each: queries.File) -> str:
    """By the first control that it supports; what supports none was provided in a request."""
    folder = plain(each.controls[0], FOLDER) if each.controls else "requests"
    return f"evidence/{folder}/{plain(each.ref, FOLDER)}/v{each.version.number}-{plain(each.version.filename or 'file', NAME)}"


def _evidence(each: queries.File, path: str | None) -> dict[str, Any]:
    v = each.version
    return {
        "ref": each.ref,
        "title": each.title,
        "version": v.number,
        "controls": list(each.controls),
        "path": path,
        "filename": v.filename,
        "url": v.url,
        "sha256": v.sha256,
        "bytes": v.size,
        "media_type": v.media_type,
        "collected_at": _said(v.collected_at),
        "uploaded_at": _said(v.uploaded_at),
        "covers": [_said(v.period_from), _said(v.period_to)],
        "source": v.source,
        "destroyed": (
            {"at": _said(each.gone.decided_at), "reason": each.gone.reason} if each.gone else None
        ),
    }


def _controls(
    engagement: Engagement,
    controls: Sequence[Any],
    files: Sequence[queries.File],
    paths: dict[Any, str],
) -> list[Any]:
    answers = queries.requirement_refs([i for i, _, _ in controls], engagement.framework_id)
    rows = {
        row.control_id: row for row in testing.matrix(engagement.period_from, engagement.period_to)
    }
    return [
        {
            "ref": ref,
            "title": title,
            "criteria": answers.get(i, []),
            "cadence": rows[i].cadence if i in rows else None,
            "tested": rows[i].tested if i in rows else 0,
            "expected": rows[i].expected if i in rows else 0,
            "months": (
                [
                    {"month": f"{c.month:%Y-%m}", "kind": c.kind, "count": c.count, "why": c.why}
                    for c in rows[i].months
                ]
                if i in rows
                else []
            ),
            "files": [
                paths[f.version.id] for f in files if ref in f.controls and f.version.id in paths
            ],
        }
        for i, ref, title in controls
    ]


def _requests(engagement: Engagement, paths: dict[Any, str]) -> list[Any]:
    every = queries.every_request(engagement.id)
    given: dict[Any, list[Any]] = {}
    for each in queries.attached([r.id for r in every], provided_only=True):
        told = {
            "ref": each.evidence.ref,
            "version": each.version.number,
            "sha256": each.version.sha256,
            "path": paths.get(each.version.id),
            "url": each.version.url,
            "provided_at": _said(each.attachment.provided_at),
        }
        given.setdefault(each.attachment.request_id, []).append(told)
    said: dict[Any, list[Any]] = {}
    remarks = queries.threads([r.id for r in every])
    names = queries.pseudonyms(r.written_by for r in remarks)
    for remark in remarks:
        who = (
            names.get(remark.written_by, "A former member") if remark.written_by else "The console"
        )
        said.setdefault(remark.request_id, []).append(
            {"kind": remark.kind, "by": who, "at": _said(remark.written_at), "text": remark.text}
        )
    return [
        {
            "ref": r.ref,
            "title": r.title,
            "detail": r.detail,
            "criteria": r.criteria,
            "due_on": _said(r.due_on),
            "state": r.state,
            "since": _said(r.state_since),
            "provided": given.get(r.id, []),
            "thread": said.get(r.id, []),
        }
        for r in every
    ]


def _tables(index: dict[str, Any]) -> dict[str, bytes]:
    months = sorted({cell["month"] for row in index["controls"] for cell in row["months"]})
    head = ("Control", "Title", "Criteria", "Cadence", "Tested", "Expected", *months, "Files")
    controls = [
        (
            row["ref"],
            row["title"],
            ", ".join(row["criteria"]),
            row["cadence"],
            row["tested"],
            row["expected"],
            *(_cells(row["months"]).get(month, "") for month in months),
            len(row["files"]),
        )
        for row in index["controls"]
    ]
    requests = [
        (
            r["ref"],
            r["title"],
            ", ".join(r["criteria"]),
            r["due_on"],
            r["state"],
            r["since"],
            "; ".join(p["path"] or p["url"] or "" for p in r["provided"]),
        )
        for r in index["requests"]
    ]
    columns = ("Ref", "Request", "Criteria", "Due", "State", "Since", "Provided")
    return {
        "controls.csv": packed(spreadsheet_writer.csv_bytes(head, controls)),
        "requests.csv": packed(spreadsheet_writer.csv_bytes(columns, requests)),
    }


def _cells(months: Sequence[dict[str, Any]]) -> dict[str, str]:
    return {
        cell[
            "month"
        ]: f"{cell['kind']}{' ' + str(cell['count']) if cell['count'] is not None else ''}"
        for cell in months
    }


def _testing(engagement: Engagement, controls: set[Any], index: dict[str, Any]) -> dict[str, bytes]:
    """Each sample with its population, its seed and every item's result; and the exceptions."""
    made: dict[str, bytes] = {}
    lists: dict[UUID, str] = {}
    index["samples"] = []
    for standing in testing.samples(since=engagement.period_from, until=engagement.period_to):
        if standing.control.id not in controls:
            continue
        number, stem = len(index["samples"]) + 1, plain(standing.control.ref)
        path = f"testing/samples/{number:03}-{stem}.json"
        rows = lists.setdefault(
            standing.population.id, f"testing/populations/{len(lists) + 1:03}-{stem}"
        )
        if f"{rows}.csv" not in made:
            made |= _rows(standing.population.id, rows)
        made[path] = packed(
            json.dumps(_sample(standing, rows), ensure_ascii=False, indent=1).encode()
        )
        index["samples"].append(
            {
                "control": standing.control.ref,
                "path": path,
                "rows": f"{rows}.jsonl",
                "says": standing.says,
                "seed": standing.sample.seed,
                "size": standing.sample.size,
            }
        )
    cases = [
        each
        for each in testing.exceptions(engagement.period_from, None)
        if each.control.id in controls
    ]
    index["exceptions"] = [_case(each) for each in cases]
    made["testing/exceptions.json"] = packed(
        json.dumps(index["exceptions"], ensure_ascii=False, indent=1).encode()
    )
    return made


def _rows(population_id: UUID, path: str) -> dict[str, bytes]:
    """A population twice: its lines as they were hashed when it was frozen, and as a table for
    people.
    """
    held = testing.population(population_id, whole=True)
    made = {
        f"{path}.jsonl": packed(b"".join(lines(held.rows))),
        f"{path}.csv": packed(_table(held.rows)),
    }
    session().expire(held, ["rows"])  # up to 50 000 of them, and there may be many populations
    return made


def _sample(standing: testing.SampleProgress, rows: str) -> dict[str, Any]:
    sample, population = standing.sample, standing.population
    return {
        "control": standing.control.ref,
        "population": {
            "title": population.title,
            "key": population.key,
            "query": population.query,
            "parameters": population.parameters,
            "run_at": _said(population.run_at),
            "run_by": population.run_by,
            "rows": population.row_count,
            "sha256": population.sha256,
            "path": f"{rows}.jsonl",
            "table": f"{rows}.csv",
            "id_column": population.id_column,
        },
        "method": METHOD,
        "rule": sample.rule,
        "size": sample.size,
        "advised": sample.advised,
        "reason": sample.reason,
        "seed": sample.seed,
        "attributes": sample.attributes,
        "items": [
            {
                "number": each.item.number,
                "item": each.item.item,
                "facts": each.item.facts,
                "dated": _said(each.item.dated),
                "outcome": each.result.outcome if each.result else None,
                "checks": each.result.checks if each.result else None,
                "note": each.result.note if each.result else None,
                "exception": each.exception.ref if each.exception else None,
            }
            for each in testing.items(sample.id)
        ],
    }


def _case(each: testing.Case) -> dict[str, Any]:
    e, f = each.exception, each.finding
    return {
        "ref": e.ref,
        "control": each.control.ref,
        "item": each.what,
        "state": each.state,
        "says": e.says,
        "cause": e.cause,
        "effect": e.effect,
        "correction": e.correction,
        "response": e.response,
        "finding": (
            {
                "ref": f.ref,
                "title": f.title,
                "plan": f.plan,
                "due_on": _said(f.due_on),
                "remedy": f.remedy,
            }
            if f
            else None
        ),
    }


def _table(rows: Sequence[dict[str, Any]]) -> bytes:
    """Columns in the order of the first row; what a spreadsheet would take for a formula is made
    harmless.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return spreadsheet_writer.csv_bytes(
        columns, ([row.get(name) for name in columns] for row in rows)
    )


def _said(value: date | datetime | None) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return value.isoformat() if value else None


# ---- the page that opens offline


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(index: dict[str, Any]) -> str:
    return (
        _environment().get_template("assurance/engagements/package/index.html").render(index=index)
    )
