"""What an entry was done on, in words, and the page of that object. Pure: links are endpoints and values.

words(type, id, *texts) -> str      "EV-0412 Penetration test", else "Control 0199a3f2"
page(type, id) -> (endpoint, values) | None
is_within(scope, type, id)         whether an auditor of that scope surely has that page
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from governance.kernel.scope import Scope

# type → (endpoint, the name of its id in the address). A type that has no page of its own is not here.
PAGES: Mapping[str, tuple[str, str]] = {
    "Control": ("controls.control", "control_id"),
    "Evidence": ("evidence.piece", "evidence_id"),
    "AISystem": ("systems.system", "system_id"),
    "Assessment": ("assessments.assessment", "assessment_id"),
    "ReportRun": ("reports.report", "run_id"),
    "Tenant": ("tenant_settings.settings", ""),
    "Connection": ("connections.index", ""),
    "ConnectionChange": ("connections.change", "connection_change_id"),
    "Approval": ("approvals.approval", "approval_id"),
    "Membership": ("people.members", ""),
    "Invitation": ("people.members", ""),
    "LogKey": ("logbook.checkpoints", ""),
    "LogHead": ("logbook.checkpoints", ""),
    "LogExport": ("log_exports.index", ""),
    "Anchor": ("anchors.index", ""),
    "ApiKey": ("api_keys.index", ""),
    "Stop": ("switches.stop", "stop_id"),
    "Drill": ("switches.drill", "drill_id"),
}
NOUNS = {
    "AISystem": "AI system", "ReportRun": "report", "LogKey": "the log's key", "LogHead": "the log", "LogExport": "export",
    "ApiKey": "API key", "SigningKey": "the reports' key", "Tenant": "the tenant", "Connection": "the sign-in connection", "ConnectionChange": "sign-in change",
    "FrameworkAdoption": "framework", "AssessmentItem": "requirement", "AssessmentConclusion": "conclusion",
}  # fmt: skip
SINGLE = {"Tenant", "Connection", "LogKey", "LogHead", "SigningKey"}  # one a tenant, or known by another word than its id
LONGEST = 80


def noun(kind: str) -> str:
    """EvidenceVersion → "evidence version"."""
    return NOUNS.get(kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()


def words(kind: str, identity: UUID, *told: Mapping[str, Any]) -> str:
    """By what the object calls itself in the entry, or in another one about it; otherwise by its type and id."""
    name = next((found for each in told if (found := _name(each))), "")
    if name:
        return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    return noun(kind) if kind in SINGLE else f"{noun(kind)} {identity.hex[:8]}"


def _name(told: Mapping[str, Any]) -> str:
    """Its short name and its long one, as far as they are told; of a look at a page, which one."""
    if page_seen := _first(told, "page"):
        return f"{page_seen} {_first(told, 'object')}".strip()
    short = _first(told, "ref", "key", "slug", "requirement")
    long = _first(told, "title", "name")
    if not short and isinstance(told.get("number"), int):
        short = f"version {told['number']}"
    return f"{short} {long}".strip()


def _first(told: Mapping[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := told.get(name), str) and value), "")


def told(changes: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry tells of its object: its facts, and what changed fields are now."""
    now = {name: pair[1] for name, pair in changes.items() if isinstance(pair, list) and len(pair) == 2}  # noqa: PLR2004 - before, after
    return {**now, **facts}


def page(kind: str, identity: UUID) -> tuple[str, dict[str, str]] | None:
    """(endpoint, values) of the object's page."""
    found = PAGES.get(kind)
    return (found[0], {found[1]: str(identity)} if found[1] else {}) if found else None


def is_within(held: Scope, kind: str, identity: UUID) -> bool:
    """Of assessments and reports the scope alone does not tell: their lists lead to them."""
    if kind == "Control":
        return held.holds(identity)
    return held.holds_evidence(identity) if kind == "Evidence" else kind not in {"Assessment", "ReportRun"}
