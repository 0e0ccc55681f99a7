"""An invented organization's SOC 2 readiness with consistent data.

It has 61 criteria with controls, evidence and findings.
"""

import random
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from governance.publishing.reports.readiness.snapshot import CATEGORIES, SCHEMA
from tests.publishing.reports import rmf_samples

REMEDIES = (
    "Upload the restore test of the quarter, and have it accepted",
    "Map a control that answers for it in full",
    "Test the control on a sample; then renew the access review",
    "Close EXC-04 by a retest",
    "Renew the vendor register",
)


@cache
def catalogue() -> list[dict[str, Any]]:
    path = (
        Path(__file__).resolve().parents[3]
        / "governance/assurance/frameworks/catalogues/soc2-tsc-2017.yaml"
    )
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["requirements"]
    return found


def all_categories(
    seed: int = 11, categories: tuple[str, ...] = tuple(CATEGORIES)
) -> dict[str, Any]:
    """Return all categories of a tenant that is halfway."""
    dice = random.Random(seed)
    tops = [top for key in categories for top in CATEGORIES[key][1]]
    functions = [_series(top, dice) for top in tops]
    rows = [row for each in functions for row in each["categories"][0]["requirements"]]
    rmf_samples._fill_controls(rows, dice, 3 * len(rows))
    short = [row for row in rows if row["level"] < row["target"]]
    for place, row in enumerate(rows):
        row["closes"] = REMEDIES[place % len(REMEDIES)] if row in short else ""
    framed = rmf_samples._frame([])
    made = {
        key: framed[key]
        for key in ("tenant", "as_of", "prepared_by", "requested_at", "log", "entry", "signing_key")
    }
    by_action: dict[str, list[dict[str, Any]]] = {}
    for row in short:
        by_action.setdefault(row["closes"], []).append(row)
    return made | {
        "schema": SCHEMA,
        "framework": {
            "key": "soc2-tsc-2017",
            "title": "SOC 2 Trust Services Criteria",
            "version": "2017",
            "digest": rmf_samples._digest("criteria"),
        },
        "period": {"from": "2025-10-09", "to": "2026-10-09"},
        "assessment": None,
        "functions": functions,
        "revisions": [],
        "categories": [
            {"key": key, "title": CATEGORIES[key][0], "series": list(CATEGORIES[key][1])}
            for key in categories
        ],
        "gaps": [_gap(action, of, n) for n, (action, of) in enumerate(by_action.items())],
        "evidence": [
            piece | {"control": control["ref"]}
            for row in rows
            for control in row["controls"]
            for piece in control["evidence"]
        ],
        "findings": [
            _finding(row, n) for n, row in enumerate([row for row in short if row["controls"]][:4])
        ],
        "document": {
            "number": "ACME-SOC2-READINESS-2026-10-09",
            "version": "1.0",
            "keep_until": "2033-10-09",
            "supersedes": None,
        },
    }


def security_only() -> dict[str, Any]:
    """Return the security category alone, with an assessment behind the targets."""
    return all_categories(5, ("security",)) | {
        "assessment": {"title": "SOC 2 2026", "revision": "2", "status": "open"}
    }


def first_day() -> dict[str, Any]:
    """Return a tenant on its first day."""
    made = all_categories()
    for row in rows_of_snapshot(made):
        row.update(
            level=0,
            target=3,
            reasons=[],
            derived_text="",
            conclusion=None,
            sign_off=None,
            owner=None,
            controls=[],
            closes=REMEDIES[1],
        )
    made.update(
        evidence=[],
        findings=[],
        log=None,
        entry=None,
        gaps=[_gap(REMEDIES[1], rows_of_snapshot(made), 0) | {"owner": None, "due": None}],
    )
    made["tenant"] |= {"unit": "", "audience": ""}
    return made


def all_at_target() -> dict[str, Any]:
    """Return everything at its target, and fresh."""
    made = all_categories()
    for row in rows_of_snapshot(made):
        row.update(
            level=4,
            target=3,
            reasons=[],
            closes="",
            controls=row["controls"]
            or [rmf_samples._control(99, row | {"level": 4}, random.Random(1))],
        )
        for control in row["controls"]:
            control.update(status="effective", status_word="Effective", last_test=None)
            for piece in control["evidence"]:
                piece.update(state="fresh", sha256=rmf_samples._digest(piece["ref"]))
    for piece in made["evidence"]:
        piece.update(state="fresh", sha256=rmf_samples._digest(piece["ref"]))
    return made | {"gaps": [], "findings": []}


def without_targets() -> dict[str, Any]:
    """Return an assessment without targets."""
    made = security_only()
    for row in rows_of_snapshot(made):
        row.update(target=0, closes="")
    return made | {"gaps": []}


def long_texts() -> dict[str, Any]:
    """Return long texts, many controls, and no names."""
    made, long = all_categories(), "A text that goes on " * 14 + "Unbreakable" * 12
    for row in rows_of_snapshot(made)[::5]:
        row.update(title=long, owner=long, closes=long)
        row["controls"] = [
            control | {"title": long, "status_word": long, "ref": f"CTL-{n}"}
            for n, control in enumerate(row["controls"] * 9)
        ]
    for each in (*made["gaps"], *made["findings"]):
        each.update(
            owner=None,
            **(
                {"action": long, "due": None}
                if "action" in each
                else {"text": long, "retest_by": None}
            ),
        )
    made["tenant"] |= {"name": long, "unit": long, "audience": long}
    return made


def with_service_levels() -> dict[str, Any]:
    """Return objectives of each state, a reviewed and an open incident, and long names."""
    long = "Unbreakable" * 20
    objectives = [
        {
            "name": f"{name} {long}",
            "target": "99.5%",
            "from": "2026-09-09",
            "to": "2026-10-09",
            "attained": attained,
            "coverage": "88.2%",
            "state": state,
        }
        for name, attained, state in (
            ("claims-triage", "99.615%", "met"),
            ("support-assistant", "94.1%", "missed"),
            ("ad-copywriter", None, "not determinable"),
        )
    ]
    incident = {"severity": "SEV2", "declared_on": "2026-09-01", "resolved_on": "2026-09-02"}
    incidents = [
        incident | {"ref": "INC-33", "title": "=cmd", "reviewed_on": "2026-09-09"},
        incident | {"ref": "INC-34", "title": long, "resolved_on": None, "reviewed_on": None},
    ]
    return all_categories() | {
        "service_levels": {"objectives": objectives * 15, "incidents": incidents * 25}
    }


EXTREMES = (
    all_categories,
    security_only,
    first_day,
    all_at_target,
    without_targets,
    long_texts,
    with_service_levels,
)


def rows_of_snapshot(made: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for each in made["functions"] for row in each["categories"][0]["requirements"]]


def _series(top: str, dice: random.Random) -> dict[str, Any]:
    names = {each["ref"]: each["title"] for each in catalogue()}
    refs = [each["ref"] for each in catalogue() if each.get("parent") == top]
    rows = [rmf_samples._requirement(ref, names, dice) for ref in refs]
    return {
        "key": top,
        "title": names[top],
        "categories": [{"ref": top, "title": names[top], "requirements": rows}],
    }


def _gap(action: str, rows: list[dict[str, Any]], n: int) -> dict[str, Any]:
    closes = [{"ref": row["ref"], "gained": max(0, row["target"] - row["level"])} for row in rows]
    return {
        "action": action,
        "closes": closes,
        "points": sum(each["gained"] for each in closes),
        "owner": rmf_samples.PEOPLE[n],
        "due": rmf_samples._on(20 + 9 * n),
    }


def _finding(row: dict[str, Any], n: int) -> dict[str, Any]:
    return {
        "ref": f"F-{n + 1:02}",
        "requirement": row["ref"],
        "control": row["controls"][0]["ref"],
        "text": rmf_samples.FINDINGS[n],
        "opened_on": rmf_samples._on(-40),
        "retest_by": rmf_samples._on(-4 if n == 2 else 20),
        "owner": rmf_samples.PEOPLE[n],
    }
