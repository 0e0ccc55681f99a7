"""The files inside a policy attestation. Pure; every CSV is formula-safe."""

from collections.abc import Mapping
from typing import Any

from governance.kernel.files.spreadsheet_writer import Cell, csv_bytes
from governance.kernel.pictures.pdf import Attachment
from governance.publishing.reports.ai_rmf.attachments import with_manifest
from governance.publishing.reports.ai_rmf.snapshot import canonical
from governance.publishing.reports.attestation.figures import shown
from governance.publishing.reports.wording import many_digits

type Json = Mapping[str, Any]


def attachments(frozen: Json) -> tuple[Attachment, ...]:
    """Return snapshot.json first, and the manifest last because it has the digests of the others."""
    scopes, versions = len(frozen["scopes"]), len(frozen["versions"])
    files = (
        Attachment("snapshot.json", canonical(frozen), "Frozen data of this report"),
        Attachment(
            "in-force.csv",
            in_force_csv(frozen),
            f"Every value of {many_digits(scopes, 'scope')}, with the layer that decides it",
        ),
        Attachment(
            "changes.csv",
            changes_csv(frozen),
            f"{many_digits(versions, 'version')}, setting by setting",
        ),
        Attachment(
            "switches.csv",
            switches_csv(frozen),
            f"{many_digits(len(frozen['stops']), 'stop')} and"
            f" {many_digits(len(frozen['drills']), 'drill')}",
        ),
    )
    return with_manifest(
        frozen,
        files,
        {
            "period": frozen["period"],
            "policy_version": frozen["tier"]["version"],
            "floor_version": frozen["floor"]["number"],
        },
    )


def in_force_csv(frozen: Json) -> bytes:
    """Return the table with one row per scope and dimension."""
    head = (
        "system",
        "risk class",
        "setting",
        "at the start",
        "at the end",
        "decided by",
        "values of all layers",
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
    layers = (
        "; ".join(f"{each['layer']}: {shown(each['value'])}" for each in end["spoke"])
        if end
        else None
    )
    name = scope["key"] or "requests without a system"
    return (
        name,
        scope["lane"],
        key,
        None if begin is None else shown(begin),
        shown(end["value"]) if end else None,
        end["set_by"] if end else None,
        layers,
    )


def changes_csv(frozen: Json) -> bytes:
    """Return the table with one row per dimension that a version changed."""
    head = (
        "version",
        "in force from",
        "prepared by",
        "approved by",
        "approved at",
        "reason",
        "loosens",
        "system",
        "setting",
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
    row = (
        version["number"],
        version["at"],
        version["made_by"],
        version["decided_by"],
        version["decided_at"],
        version["reason"],
        "yes" if version["loosens"] else "no",
    )
    if each is None:
        return *row, None, None, None, None, None
    return (
        *row,
        each["system"] or "all",
        each["dimension"],
        shown(each["before"]),
        shown(each["after"]),
        each["move"],
    )


def switches_csv(frozen: Json) -> bytes:
    """Return the table of stops, then drills."""
    head = (
        "kind",
        "scope",
        "at",
        "by",
        "reason or outcome",
        "expected",
        "confirmed",
        "slowest ms",
        "restarted or approved by",
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
