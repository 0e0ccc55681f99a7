"""The statement that reads the ledger: each control with its history aggregated as JSON."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Case, ScalarSelect, Select, case, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from governance.assurance.controls import ports
from governance.assurance.controls.models import Control, ControlMapping, ControlTest
from governance.assurance.evidence.models import EvidenceLink
from governance.operations.policies.models import PolicyVersion, Waiver
from governance.operations.switches.models import Drill
from governance.operations.systems.models import AISystem, SystemFeature


def controls_query(only: Select[UUID] | None) -> Any:
    """Select controls with mappings, tests and links aggregated as JSON.

    Joins would multiply the rows.
    """
    query = select(
        Control.id,
        Control.ref,
        Control.title,
        Control.does,
        Control.kind,
        Control.automation,
        Control.cadence,
        Control.owner_id,
        Control.version,
        Control.created_at,
        Control.retired_at,
        Control.rests_on,
        _folded_live().label("live"),
        _folded_misses().label("misses"),
        _folded_mappings().label("mappings"),
        _folded_tests().label("tests"),
        _folded_links().label("links"),
    )
    return (query if only is None else query.where(Control.id.in_(only))).order_by(Control.ref)


def _epoch(column: Any) -> Any:
    return func.extract("epoch", column)


def _folded(parts: Sequence[Any], order: Any, *where: Any) -> ScalarSelect[Any]:
    folded = func.json_agg(aggregate_order_by(func.json_build_array(*parts), order))
    return select(folded).where(*where).correlate(Control).scalar_subquery()


def _folded_mappings() -> ScalarSelect[Any]:
    m = ControlMapping
    parts = (m.requirement_id, m.coverage, _epoch(m.created_at), _epoch(m.removed_at))
    return _folded(parts, m.id, m.control_id == Control.id)


def _folded_tests() -> ScalarSelect[Any]:
    t = ControlTest
    parts = (
        _epoch(t.created_at),
        t.tested_on,
        t.sample,
        t.failed,
        t.finding_ref,
        t.finding,
        t.retest_by,
        t.tested_by,
        t.sample_id,
        t.unsettled,
    )
    return _folded(parts, t.id, t.control_id == Control.id)


def _folded_links() -> ScalarSelect[Any]:
    link = EvidenceLink
    return _folded(
        (link.evidence_id, _epoch(link.created_at), _epoch(link.removed_at)),
        link.id,
        link.control_id == Control.id,
    )


def _folded_live() -> Case[Any]:
    """Aggregate the history of a control's runtime dependencies."""
    return case(
        (Control.rests_on == "drill", _drills()),
        (Control.rests_on == "policy", _policy()),
        (Control.rests_on == "service_levels", _problems(ports.service_level_problems()())),
        (Control.rests_on == "incidents", _problems(ports.incident_problems()())),
    )


def _folded_misses() -> ScalarSelect[Any]:
    """Aggregate the findings of evaluations on measures that the control depends on."""
    p = ports.missed_evaluations()().subquery().c
    parts = (p.id, p.ref, p.about, _epoch(p.since), _epoch(p.until))
    return _folded(parts, p.since, p.control_id == Control.id)


def _problems(found: Select[Any]) -> ScalarSelect[Any]:
    """Aggregate late problems, with the instants when each became late and was done."""
    p = found.subquery().c
    parts = (p.kind, p.id, p.ref, p.about, _epoch(p.since), _epoch(p.until))
    return (
        select(func.json_agg(aggregate_order_by(func.json_build_array(*parts), p.since)))
        .correlate(None)
        .scalar_subquery()
    )


def _drills() -> ScalarSelect[Any]:
    """Aggregate the lifetime of each system and (when, passed, feature) of its finished drills."""
    ended = func.json_agg(
        func.json_build_array(_epoch(Drill.ended_at), Drill.state == "passed", SystemFeature.key)
    )
    of_system = (
        select(ended)
        .select_from(Drill)
        .outerjoin(SystemFeature, SystemFeature.id == Drill.feature_id)
        .where(
            Drill.system_id == AISystem.id,
            Drill.state.in_(("passed", "failed")),
            Drill.ended_at.is_not(None),
        )
        .correlate(AISystem)
        .scalar_subquery()
    )
    parts = (
        AISystem.id,
        AISystem.key,
        _epoch(AISystem.created_at),
        _epoch(AISystem.retired_at),
        of_system,
    )
    return (
        select(func.json_agg(aggregate_order_by(func.json_build_array(*parts), AISystem.key)))
        .correlate(None)
        .scalar_subquery()
    )


def _policy() -> Any:
    """Aggregate the published policy versions and the waivers that were open."""
    v, w = PolicyVersion, Waiver
    versions = select(
        func.json_agg(
            func.json_build_array(_epoch(v.in_force_from), v.number, v.content["tier"].astext)
        )
    )
    waivers = select(
        func.json_agg(
            func.json_build_array(
                w.id,
                AISystem.key,
                w.dimension,
                _epoch(w.live_from),
                _epoch(w.expires_at),
                _epoch(w.closed_at),
            )
        )
    ).join(AISystem, AISystem.id == w.system_id)
    return func.json_build_object(
        "versions",
        versions.where(v.in_force_from.is_not(None)).correlate(None).scalar_subquery(),
        "waivers",
        waivers.where(w.live_from.is_not(None)).correlate(None).scalar_subquery(),
    )
