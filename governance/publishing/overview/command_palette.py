"""⌘K: jump to any object by its name, or run a verb. One statement over the tenant's objects, the catalogue from memory.

An auditor finds what is in his scope: its controls and assessments, and the requirements of its frameworks.
"""

from collections.abc import Iterator
from typing import Any

from flask import jsonify, request, url_for
from sqlalchemy import String, cast, literal, or_, select, true, union_all

from governance.assurance.assessments.models import Assessment
from governance.assurance.controls.models import Control
from governance.assurance.evidence.models import Evidence
from governance.assurance.evidence.visibility import sight
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people import permissions
from governance.kernel import current
from governance.kernel.access import allowed, registry
from governance.kernel.db import session
from governance.kernel.feature import Feature
from governance.kernel.scope import limits
from governance.kernel.web import ResponseReturnValue
from governance.operations.policies.models import PolicyVersion
from governance.operations.switches import permissions as switching
from governance.operations.systems.models import AISystem

feature = Feature("jump", __name__)
MOST = 12
SHOWN_VERSIONS = 3
RMF = "nist-ai-rmf-1.0"
DIGITS = 6  # of the number of a version
VERBS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("Open your inbox", "inbox.index", {}, "people.own"),
    ("Make the AI RMF report", "reports.index", {}, "reports.run"),
    ("Make a policy attestation", "reports.index", {}, "reports.run"),
    ("Change the policy", "policies.index", {}, "policies.draft"),
    ("See the policy in force", "policies.in_force", {}, "policies.view"),
    ("Ask for a waiver", "policies.ask_waiver", {}, "policies.waive"),
    ("See the switches", "switches.index", {}, "switches.view"),
    ("Stop everything…", "switches.stop_everything", {}, "switches.stop"),
    ("Begin an assessment", "assessments.new", {}, "assessments.manage"),
    ("Bring in evidence", "evidence.index", {}, "evidence.bring"),
    ("Open Type II testing", "testing.index", {}, "testing.view"),
    ("See requests of auditors", "engagements.waiting", {}, "engagements.view"),
    ("Build an evidence package", "engagements.index", {}, "engagements.package"),
    ("Begin an access review", "access_reviews.beginning", {}, "access_reviews.review"),
    ("See the collectors", "collectors.index", {}, "collectors.view"),
    ("Invite a member", "people.members", {}, "people.manage"),
    ("Propose a change to sign-in", "connections.propose", {}, "people.connection"),
    ("Test the sign-in connection", "connections.index", {}, "people.connection"),
)


@feature.get("/jump", needs=permissions.OWN)
def jump() -> ResponseReturnValue:
    wanted = " ".join(request.args.get("q", "").split())[:80]
    return jsonify([*_verbs(wanted), *_requirements(wanted), *_objects(wanted)][:MOST] if wanted else list(_verbs("")))


def _verbs(wanted: str) -> Iterator[dict[str, str]]:
    for label, endpoint, values, permission in VERBS:
        if wanted.lower() in label.lower() and permission in registry and allowed(registry[permission]):
            yield {"label": label, "hint": "verb", "href": url_for(endpoint, **values)}


def _requirements(wanted: str) -> Iterator[dict[str, str]]:
    """Of the AI RMF (to an auditor, of what he audits), by id or by our title: `measure 2.7`, `security`."""
    held, needle = limits(), wanted.lower()
    searched = [each for each in frameworks.frameworks() if held is not None or each.key == RMF]
    for key, row in ((each.key, row) for each in searched for row in frameworks.requirements(each.id)):
        named = row.assessable and (needle in row.ref.lower() or needle in row.title.lower())
        if named and (held is None or held.holds_requirement(row.id)):
            href = url_for("assessments.requirement", key=key, ref=row.path)
            yield {"label": f"{row.ref} {row.title}", "hint": "requirement", "href": href}


def _objects(wanted: str) -> Iterator[dict[str, str]]:
    """Objects by their names; a system brings its switch and, to who may, its stop: "stop claims" leads to that alone."""
    stopping = wanted.lower().startswith("stop")
    text = wanted[4:].strip() if stopping else wanted
    pattern, held = f"%{text.replace('%', '').replace('_', '')}%", limits()
    ours: Any = true() if held is None else Control.id.in_(held.controls or ())
    begun: Any = (
        true()
        if held is None
        else Assessment.framework_id.in_([f.id for f in frameworks.installed() if held.holds_framework(f.key)])
    )
    query = union_all(
        _like(Control, Control.ref, Control.title, "control", pattern).where(ours),
        _like(Evidence, Evidence.ref, Evidence.title, "evidence", pattern).where(*sight().of_pieces()),
        _like(AISystem, AISystem.key, AISystem.name, "AI system", pattern),
        _versions(text),
        select(literal("assessment").label("kind"), Assessment.id, literal("").label("ref"), Assessment.title)
        .where(Assessment.tenant_id == _tenant(), Assessment.title.ilike(pattern), begun),
    )  # fmt: skip
    if stopping:
        query = _like(AISystem, AISystem.key, AISystem.name, "AI system", pattern)
    for kind, row_id, ref, title in session().execute(query.limit(MOST)):
        if not stopping:
            yield {"label": f"{ref} {title}".strip(), "hint": kind, "href": _address(kind, row_id, ref)}
        if kind == "AI system":
            yield from _switches(ref, title, stopping=stopping)


def _switches(key: str, name: str, *, stopping: bool) -> Iterator[dict[str, str]]:
    if not stopping and allowed(switching.VIEW):
        yield {"label": f"Switches of {name}", "hint": "switch", "href": url_for("switches.system", system_key=key)}
    if allowed(switching.STOP):
        yield {"label": f"Stop {name}…", "hint": "verb", "href": url_for("switches.stop_system", system_key=key)}


def _versions(text: str) -> Any:
    """Versions of the policy that came into force, by "policy 4", "version 4" or their tier."""
    v = PolicyVersion
    label = literal("Policy version ") + cast(v.number, String)
    query = select(literal("policy").label("kind"), v.id, cast(v.number, String).label("ref"), label.label("title"))
    words = [word for word in text.lower().split() if word not in {"policy", "version"}]
    named = [
        v.number == int(word) if word.isdecimal() and len(word) <= DIGITS else v.content["tier"].astext.ilike(f"%{word}%")
        for word in words
    ]
    asked = bool(words) or "policy" in text.lower()
    return (
        query.where(v.tenant_id == _tenant(), v.number.is_not(None), literal(asked), *named)
        .order_by(v.number.desc())
        .limit(SHOWN_VERSIONS)
    )


def _like(model: Any, ref: Any, title: Any, kind: str, pattern: str) -> Any:
    query = select(literal(kind).label("kind"), model.id, ref.label("ref"), title.label("title"))
    return query.where(model.tenant_id == _tenant(), model.retired_at.is_(None), or_(ref.ilike(pattern), title.ilike(pattern)))


def _tenant() -> Any:
    return current.actor().tenant_id


def _address(kind: str, row_id: Any, ref: str) -> str:
    if kind == "policy":
        return url_for("policies.version", number=int(ref))
    endpoint, name = {
        "control": ("controls.control", "control_id"), "evidence": ("evidence.piece", "evidence_id"),
        "AI system": ("systems.system", "system_id"),
        "assessment": ("assessments.assessment", "assessment_id"),
    }[kind]  # fmt: skip
    return url_for(endpoint, **{name: row_id})
