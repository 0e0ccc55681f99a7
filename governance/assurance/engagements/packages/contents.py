"""The contents of an evidence package, read in one snapshot.

    gather(engagement, keys, checkpoint) -> PackageContents   everything but the bytes of evidence
    contents.payload() -> [Payload]                           the generated files

The job adds the bytes of the evidence. The paths are
evidence/<control>/<evidence>/v<number>-<name>, controls.csv, requests.csv, testing/, reports/ and
audit-log/. index.html and index.json list every file with its digest, and open offline.
"""

import hashlib
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

from governance.assurance.engagements import queries, scope_queries
from governance.assurance.engagements.auditors.scope import scope_of
from governance.assurance.engagements.models import Engagement
from governance.assurance.engagements.packages import queries as package_queries
from governance.assurance.engagements.packages.bagit import Payload
from governance.assurance.engagements.ports import signed_originals
from governance.assurance.engagements.requests import attachment_queries
from governance.assurance.engagements.requests import queries as request_queries
from governance.assurance.evidence.models import EvidenceVersion
from governance.assurance.testing import (
    exception_queries,
    matrix_queries,
    population_queries,
    sample_queries,
)
from governance.assurance.testing.sampling import METHOD, canonical_lines
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.files import spreadsheet_writer
from governance.kernel.formatting import plural, thousands

ROOT = Path(__file__).parents[4]
TEMPLATES = ROOT / "templates"
VERIFIER = ROOT / "docs" / "verify_meridian.py"
UNSAFE_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]+")
WINDOWS_RESERVED = frozenset(
    {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}
)
# In characters. Keeps a whole path below the 260 characters of Windows.
MAX_FOLDER_LENGTH, MAX_NAME_LENGTH = 40, 60
FORMAT = "governance.evidence-package/1"
LOG_EXTRACT = "audit-log/extract.jsonl"


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """An evidence file and its path in the package."""

    version: EvidenceVersion
    path: str


@dataclass(slots=True)
class PackageContents:
    """The contents of a package without the bytes of the evidence.

    `index` is the content of index.json. `generated` maps paths to compressed contents.
    """

    name: str
    index: dict[str, Any]
    stored: list[PackagedFile]
    generated: dict[str, bytes] = field(default_factory=dict)

    def payload(self) -> Iterator[Payload]:
        """Yield the generated files, the index last."""
        for path, content in sorted(self.generated.items()):
            yield _compressed_payload(path, zlib.decompress(content))
        yield _compressed_payload(
            "index.json", json.dumps(self.index, ensure_ascii=False, indent=1).encode()
        )
        yield _compressed_payload("index.html", page(self.index).encode())

    @property
    def octets(self) -> int:
        return sum(each.version.size or 0 for each in self.stored)


def compressed(content: bytes) -> bytes:
    """Compress a generated file, since it stays in memory until the evidence is packed."""
    return zlib.compress(content, 6)


def _compressed_payload(path: str, content: bytes) -> Payload:
    return Payload(path, lambda: (content,), packed=True)


def safe_name(name: str, max_length: int = 80) -> str:
    """Return a name that is valid on every file system and needs no escaping in a manifest."""
    stem, dot, suffix = UNSAFE_CHARACTERS.sub("_", name).strip(".").rstrip("_").rpartition(".")
    stem, suffix = stem.strip("._") or ("file" if dot else ""), suffix if dot else suffix.strip("_")
    whole = f"{stem[: max_length - 10]}{dot}{suffix[:9]}" if dot else suffix[:max_length]
    whole = whole.rstrip(".") or "file"
    return f"_{whole}" if whole.split(".", 1)[0].upper() in WINDOWS_RESERVED else whole


def gather(engagement: Engagement, keys: Sequence[str], checkpoint: str) -> PackageContents:
    """Read everything in the scope of the engagement, in the current transaction (a snapshot).

    `keys` are the verifier keys of the tenant's log, the current one first. `checkpoint` is its
    latest signed checkpoint.
    """
    who = current.actor()
    files, controls = (
        package_queries.package_versions(engagement),
        scope_queries.controls_in(engagement),
    )
    stored = [
        PackagedFile(each.version, _path(each))
        for each in files
        if each.version.storage_key is not None and each.deletion is None
    ]
    paths = {each.version.id: each.path for each in stored}
    name = safe_name(f"{who.tenant_slug}-{engagement.ref}")
    index: dict[str, Any] = {
        "format": FORMAT,
        "package": name,
        "tenant": who.tenant_name,
        "firm": engagement.firm,
        "engagement": engagement.ref,
        "scope": queries.scope_name(engagement),
        "criteria": engagement.criteria,
        "generated_at": _iso(clock.now()),
        "period": [_iso(engagement.period_from), _iso(engagement.period_to)],
        "fieldwork": [_iso(engagement.fieldwork_from), _iso(engagement.fieldwork_to)],
        "evidence": [_evidence(each, paths.get(each.version.id)) for each in files],
        "controls": _controls(engagement, controls, files, paths),
        "requests": _requests(engagement, paths),
        "log": {
            "extract": LOG_EXTRACT,
            "checkpoint": "audit-log/checkpoint.txt",
            "keys": "audit-log/keys.txt",
        },
    }
    contents = PackageContents(name, index, stored)
    contents.generated |= _tables(index) | _testing(engagement, {i for i, _, _ in controls}, index)
    contents.generated["audit-log/checkpoint.txt"] = compressed(checkpoint.encode())
    contents.generated["audit-log/keys.txt"] = compressed(
        "".join(f"{key}\n" for key in keys).encode()
    )
    _add_originals(contents, engagement)
    verifier = VERIFIER.read_bytes()
    contents.generated[VERIFIER.name] = compressed(verifier)
    instructions = _environment().get_template("assurance/engagements/verify.txt")
    digest = hashlib.sha256(verifier).hexdigest()
    contents.generated["VERIFY.txt"] = compressed(
        instructions.render(index=index, key=keys[0], verifier_digest=digest).encode()
    )
    return contents


def _add_originals(contents: PackageContents, engagement: Engagement) -> None:
    """Add the signed reports in scope without watermarks, with their signatures and keys."""
    found, listed = signed_originals()(scope_of([engagement])), []
    for each in found.files:
        path = f"reports/{safe_name(each.filename)}"
        contents.generated[path] = compressed(each.content)
        contents.generated[f"{path}.sig"] = compressed(each.signature.encode())
        digest = hashlib.sha256(each.content).hexdigest()
        listed.append({"title": each.title, "path": path, "sha256": digest})
    if listed:
        keys = "".join(f"{key}\n" for key in found.keys)
        contents.generated["reports/keys.txt"] = compressed(keys.encode())
    contents.index["reports"] = listed


def _path(each: package_queries.PackagedVersion) -> str:
    """Return the path of a version, under its first control, or under requests/ without one."""
    folder = safe_name(each.controls[0], MAX_FOLDER_LENGTH) if each.controls else "requests"
    evidence = safe_name(each.ref, MAX_FOLDER_LENGTH)
    name = safe_name(each.version.filename or "file", MAX_NAME_LENGTH)
    return f"evidence/{folder}/{evidence}/v{each.version.number}-{name}"


def _evidence(each: package_queries.PackagedVersion, path: str | None) -> dict[str, Any]:
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
        "collected_at": _iso(v.collected_at),
        "uploaded_at": _iso(v.uploaded_at),
        "covers": [_iso(v.period_from), _iso(v.period_to)],
        "source": v.source,
        "deleted": (
            {"at": _iso(each.deletion.decided_at), "reason": each.deletion.reason}
            if each.deletion
            else None
        ),
    }


def _controls(
    engagement: Engagement,
    controls: Sequence[Any],
    files: Sequence[package_queries.PackagedVersion],
    paths: dict[Any, str],
) -> list[Any]:
    criteria = scope_queries.requirement_refs([i for i, _, _ in controls], engagement.framework_id)
    rows = {
        row.control_id: row
        for row in matrix_queries.matrix(engagement.period_from, engagement.period_to)
    }
    return [
        {
            "ref": ref,
            "title": title,
            "criteria": criteria.get(i, []),
            "cadence": rows[i].cadence if i in rows else None,
            "tested": rows[i].tested if i in rows else 0,
            "expected": rows[i].expected if i in rows else 0,
            "months": (
                [
                    {"month": f"{c.month:%Y-%m}", "kind": c.kind, "count": c.count, "reason": c.why}
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
    requests = request_queries.every_request(engagement.id)
    provided: dict[Any, list[Any]] = {}
    for each in attachment_queries.attached([r.id for r in requests], provided_only=True):
        attachment = {
            "ref": each.evidence.ref,
            "version": each.version.number,
            "sha256": each.version.sha256,
            "path": paths.get(each.version.id),
            "url": each.version.url,
            "provided_at": _iso(each.attachment.provided_at),
        }
        provided.setdefault(each.attachment.request_id, []).append(attachment)
    threads: dict[Any, list[Any]] = {}
    remarks = request_queries.threads([r.id for r in requests])
    names = package_queries.pseudonyms(r.written_by for r in remarks)
    for remark in remarks:
        author = (
            names.get(remark.written_by, "A former member") if remark.written_by else "Meridian"
        )
        threads.setdefault(remark.request_id, []).append(
            {"kind": remark.kind, "by": author, "at": _iso(remark.written_at), "text": remark.text}
        )
    return [
        {
            "ref": r.ref,
            "title": r.title,
            "detail": r.detail,
            "criteria": r.criteria,
            "due_on": _iso(r.due_on),
            "state": r.state,
            "since": _iso(r.state_since),
            "provided": provided.get(r.id, []),
            "thread": threads.get(r.id, []),
        }
        for r in requests
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
    columns = ("Ref", "Request", "Criteria", "Due", "State", "In state since", "Provided")
    return {
        "controls.csv": compressed(spreadsheet_writer.csv_bytes(head, controls)),
        "requests.csv": compressed(spreadsheet_writer.csv_bytes(columns, requests)),
    }


def _cells(months: Sequence[dict[str, Any]]) -> dict[str, str]:
    return {
        cell[
            "month"
        ]: f"{cell['kind']}{' ' + str(cell['count']) if cell['count'] is not None else ''}"
        for cell in months
    }


def _testing(engagement: Engagement, controls: set[Any], index: dict[str, Any]) -> dict[str, bytes]:
    """Return the files of testing/ by path: samples with results, populations and exceptions.

    Adds `samples` and `exceptions` to the index.
    """
    files: dict[str, bytes] = {}
    populations: dict[UUID, str] = {}
    index["samples"] = []
    for progress in sample_queries.samples(
        since=engagement.period_from, until=engagement.period_to
    ):
        if progress.control.id not in controls:
            continue
        number, stem = len(index["samples"]) + 1, safe_name(progress.control.ref)
        path = f"testing/samples/{number:03}-{stem}.json"
        population = populations.setdefault(
            progress.population.id, f"testing/populations/{len(populations) + 1:03}-{stem}"
        )
        if f"{population}.csv" not in files:
            files |= _population(progress.population.id, population)
        files[path] = compressed(
            json.dumps(_sample(progress, population), ensure_ascii=False, indent=1).encode()
        )
        index["samples"].append(
            {
                "control": progress.control.ref,
                "path": path,
                "population": f"{population}.jsonl",
                "result": progress.says,
                "seed": progress.sample.seed,
                "size": progress.sample.size,
            }
        )
    cases = [
        each
        for each in exception_queries.exceptions(engagement.period_from, None)
        if each.control.id in controls
    ]
    index["exceptions"] = [_exception(each) for each in cases]
    files["testing/exceptions.json"] = compressed(
        json.dumps(index["exceptions"], ensure_ascii=False, indent=1).encode()
    )
    return files


def _population(population_id: UUID, path: str) -> dict[str, bytes]:
    """Return a population as the lines that were hashed when it was frozen, and as a CSV table."""
    population = population_queries.population(population_id, whole=True)
    files = {
        f"{path}.jsonl": compressed(b"".join(canonical_lines(population.rows))),
        f"{path}.csv": compressed(_table(population.rows)),
    }
    session().expire(population, ["rows"])  # A population may have 50,000 rows.
    return files


def _sample(progress: sample_queries.SampleProgress, population_path: str) -> dict[str, Any]:
    sample, population = progress.sample, progress.population
    return {
        "control": progress.control.ref,
        "population": {
            "title": population.title,
            "key": population.key,
            "query": population.query,
            "parameters": population.parameters,
            "run_at": _iso(population.run_at),
            "run_by": population.run_by,
            "rows": population.row_count,
            "sha256": population.sha256,
            "path": f"{population_path}.jsonl",
            "table": f"{population_path}.csv",
            "id_column": population.id_column,
        },
        "method": METHOD,
        "rule": sample.rule,
        "size": sample.size,
        "recommended_size": sample.advised,
        "reason": sample.reason,
        "seed": sample.seed,
        "attributes": sample.attributes,
        "items": [
            {
                "number": each.item.number,
                "item": each.item.item,
                "facts": each.item.facts,
                "date": _iso(each.item.dated),
                "outcome": each.result.outcome if each.result else None,
                "checks": each.result.checks if each.result else None,
                "note": each.result.note if each.result else None,
                "exception": each.exception.ref if each.exception else None,
            }
            for each in sample_queries.items(sample.id)
        ],
    }


def _exception(each: exception_queries.ExceptionCase) -> dict[str, Any]:
    e, f = each.exception, each.finding
    return {
        "ref": e.ref,
        "control": each.control.ref,
        "item": each.what,
        "state": each.state,
        "description": e.says,
        "cause": e.cause,
        "effect": e.effect,
        "correction": e.correction,
        "response": e.response,
        "finding": (
            {
                "ref": f.ref,
                "title": f.title,
                "plan": f.plan,
                "due_on": _iso(f.due_on),
                "remediation": f.remedy,
            }
            if f
            else None
        ),
    }


def _table(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return rows as CSV, with columns in order of first appearance and formulas neutralized."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return spreadsheet_writer.csv_bytes(
        columns, ([row.get(name) for name in columns] for row in rows)
    )


def _iso(value: date | datetime | None) -> str | None:
    """Format a day as 2026-11-25, and an instant as ISO 8601 in UTC with seconds."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return value.isoformat() if value else None


# ---- Pages that open offline

REMARKS = {
    "comment": "commented",
    "provided": "provided a response",
    "accepted": "accepted the response",
    "returned": "returned the response",
}


def _day(iso: str | None) -> str:
    """Format the day of an ISO 8601 string as 25 Nov 2026."""
    if not iso:
        return ""
    day = date.fromisoformat(iso[:10])
    return f"{day.day} {day:%b %Y}"


def _moment(iso: str | None) -> str:
    """Format an ISO 8601 instant as 25 Nov 2026, 08:55 UTC."""
    return f"{_day(iso)}, {iso[11:16]} UTC" if iso and len(iso) > len("2026-11-25") else _day(iso)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "day": _day,
        "moment": _moment,
        "plural": plural,
        "thousands": thousands,
    }
    return environment


def page(index: dict[str, Any]) -> str:
    """Render index.html."""
    template = _environment().get_template("assurance/engagements/package/index.html")
    return template.render(index=index, remarks=REMARKS)
