"""The files inside a SOC 2 readiness report. Pure; every CSV is formula-safe."""

from collections.abc import Mapping
from typing import Any

from governance.assurance.assessments.coverage import is_proven
from governance.kernel.files.spreadsheet_writer import Cell, csv_bytes
from governance.kernel.pictures.pdf import Attachment
from governance.publishing.reports.ai_rmf.attachments import evidence_csv, with_manifest
from governance.publishing.reports.ai_rmf.snapshot import LEVELS, Requirement, canonical, shortfall
from governance.publishing.reports.readiness import service_levels
from governance.publishing.reports.readiness.figures import ReadinessFigures
from governance.publishing.reports.wording import many_digits

type Json = Mapping[str, Any]


def attachments(frozen: Json) -> tuple[Attachment, ...]:
    """Return snapshot.json first, and the manifest last because it has the digests of the others."""
    say = ReadinessFigures(frozen)  # type: ignore[arg-type]
    items, findings = len(frozen["evidence"]), len(frozen["findings"])
    files = (
        Attachment("snapshot.json", canonical(frozen), "Frozen data of this report"),
        Attachment(
            "criteria.csv",
            criteria_csv(say),
            f"{many_digits(len(say.rows), 'criterion', 'criteria')}, control by control",
        ),
        Attachment(
            "evidence.csv",
            evidence_csv(frozen),  # type: ignore[arg-type]
            f"{many_digits(items, 'evidence item')} with digests",
        ),
        Attachment("findings.csv", findings_csv(frozen), many_digits(findings, "open finding")),
        *service_levels.attachments(frozen.get("service_levels")),
    )
    framework = {key: frozen["framework"][key] for key in ("key", "version", "digest")}
    chosen = [each["key"] for each in frozen["categories"]]
    return with_manifest(
        frozen, files, {"framework": framework, "categories": chosen, "period": frozen["period"]}
    )


def criteria_csv(say: ReadinessFigures) -> bytes:
    """Return the table with one row for each criterion and control that satisfies it."""
    head = (
        "criterion",
        "title",
        "proven",
        "level",
        "level name",
        "target",
        "short by",
        "owner",
        "what closes the gap",
        "control",
        "control title",
        "coverage",
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
    criterion = (
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
        return [(*criterion, *(None,) * 10)]
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
                *criterion,
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
