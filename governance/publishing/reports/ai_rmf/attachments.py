"""The files inside an AI RMF report, and the manifest over the files of any report.

    attachments(snapshot)        snapshot.json, requirements.csv, evidence.csv, risks.csv where
                                 risks are reported, manifest.json
    with_manifest(…)             the files of any kind of report, with the manifest over them

Pure. Every CSV is formula-safe.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from governance.assurance.assessments.coverage import is_proven
from governance.kernel.files.spreadsheet_writer import Cell, csv_bytes
from governance.kernel.pictures.pdf import Attachment
from governance.publishing.reports.ai_rmf.risk_section import risks_csv
from governance.publishing.reports.ai_rmf.snapshot import (
    LEVELS,
    IndexedEvidence,
    Requirement,
    RiskPosition,
    Snapshot,
    canonical,
    fingerprint,
    requirements,
    shortfall,
)
from governance.publishing.reports.built_document import is_without_names
from governance.publishing.reports.wording import many_digits, sentences

MANIFEST_SCHEMA = "governance.report-manifest/1"
MANIFEST = "manifest.json"


def attachments(snapshot: Snapshot) -> tuple[Attachment, ...]:
    """Return snapshot.json first, and the manifest last because it has the digests of the others."""
    items, rows = len(snapshot["evidence"]), sum(1 for _ in requirements(snapshot))
    risks = snapshot.get("risks")
    files = (
        Attachment("snapshot.json", canonical(snapshot), "Frozen data of this report"),
        Attachment(
            "requirements.csv",
            requirements_csv(snapshot),
            f"{many_digits(rows, 'requirement')} with levels and reasons",
        ),
        Attachment(
            "evidence.csv",
            evidence_csv(snapshot),
            f"{many_digits(items, 'evidence item')} with digests",
        ),
        *(() if risks is None else (_risks(risks),)),
    )
    return with_manifest(snapshot, files, _parameters(snapshot))


def with_manifest(
    snapshot: Mapping[str, Any], files: tuple[Attachment, ...], parameters: Mapping[str, Any]
) -> tuple[Attachment, ...]:
    """Add the manifest over the files; the frozen data comes first."""
    return (
        *files,
        Attachment(
            MANIFEST,
            manifest(snapshot, files, parameters),
            "Digests of the files above, and the parameters",
        ),
    )


def _risks(risks: RiskPosition) -> Attachment:
    count = many_digits(len(risks["open"]), "open risk")
    return Attachment("risks.csv", risks_csv(risks), f"{count} with scores and acceptances")


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
    """Return the table with one row per requirement."""
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
        "evidence items",
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
    items = sum(len(control["evidence"]) for control in row["controls"])
    reasons = " ".join(sentences(each["fact"], each["consequence"]) for each in row["reasons"])
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
        items,
        reasons,
        *((done["text"], done["assessor"], done["at"]) if done else (None, None, None)),
        *((signed["by"], signed["at"], signed["entry"]) if signed else (None, None, None)),
    )


def evidence_csv(snapshot: Snapshot) -> bytes:
    """Return the table with one row per evidence item, with its full digest."""
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
    snapshot: Mapping[str, Any], files: Sequence[Attachment], parameters: Mapping[str, Any]
) -> bytes:
    """Return the manifest as sorted JSON.

    It has the digest and size of each file, the parameters of the run, and the log's checkpoint.
    """
    document = snapshot["document"]
    content = {
        "schema": MANIFEST_SCHEMA,
        "fingerprint": fingerprint(files[0].data),
        "attachments": [
            {"name": each.name, "sha256": sha256(each.data), "size": len(each.data)}
            for each in files
        ],
        "parameters": {
            "kind": snapshot["schema"],
            "tenant": snapshot["tenant"]["slug"],
            "as_of": snapshot["as_of"],
            "requested_at": snapshot["requested_at"],
            "document": document["number"],
            "version": document["version"],
            **(
                {"without_names_of": snapshot["without_names_of"]}
                if is_without_names(snapshot)
                else {}
            ),
            **parameters,
        },
        "log": snapshot["log"],
        "entry": snapshot.get("entry"),
        "signing_key": snapshot["signing_key"],
    }
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True).encode()


def sha256(data: bytes) -> str:
    """Return the SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()
