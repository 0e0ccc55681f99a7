"""The level of every requirement, computed in the database for the filters of the inbox.

    levels()                          requirement id, level, is_red (something failed or is overdue)
    lowered_requirement(evidence_id)  "keeps MEASURE 2.7 at level 1", for late evidence

The rule is that of coverage.py and controls/status.py; a test compares them. Only they check
whether evidence covers the whole period, so a requirement may have level 4 here and 3 on its page.
"""

from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Integer,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from governance.assurance.assessments.models import AssessmentItem
from governance.assurance.controls import ports
from governance.assurance.controls.models import Control, ControlMapping, ControlTest
from governance.assurance.controls.runtime_dependencies import (
    DRILL_VALID_DAYS,
    MOST_PERMISSIVE_TIER,
)
from governance.assurance.evidence.inbox import LATE, live_facts
from governance.assurance.evidence.models import EvidenceLink
from governance.assurance.frameworks.models import Requirement
from governance.kernel.work.inbox import NOW, TODAY
from governance.operations.policies.models import PolicyVersion, Waiver
from governance.operations.switches.models import Drill
from governance.operations.systems.models import AISystem


@cache
def levels() -> CTE:
    c, m = _controls().cte("control_facts").prefix_with("MATERIALIZED"), ControlMapping
    full = m.coverage == "full"
    per = (
        select(
            m.requirement_id,
            func.bool_or(c.c.has_evidence).label("has_evidence"),
            func.bool_or(c.c.failing).label("failing"),
            func.bool_or(c.c.unproven).label("unproven"),
            func.bool_or(full).label("in_full"),
            func.bool_and(c.c.tested).filter(full).label("tested"),
            func.bool_or(c.c.is_red).label("is_red"),
        )
        .join(c, c.c.id == m.control_id)
        .where(m.removed_at.is_(None))
        .group_by(m.requirement_id)
        .subquery()
    )
    p = per.c
    level = case(
        (~p.has_evidence, 0),
        (p.failing, 1),
        (p.unproven | ~p.in_full, 2),
        (~p.tested, 3),
        else_=4,
    )
    return (
        select(p.requirement_id, cast(level, Integer).label("level"), p.is_red)
        .cte("requirement_levels")
        .prefix_with("MATERIALIZED")
    )


def _controls() -> Any:
    """Select each live control with whether it fails, lacks proof, and has accepted evidence."""
    c, link, f = Control, EvidenceLink, live_facts()
    state, found = f.c.state, f.c.id.is_not(None)
    late = func.coalesce(func.bool_or(state.in_(LATE)), False)
    accepted = func.coalesce(func.bool_or(f.c.has_accepted), False)
    waiting = func.coalesce(func.bool_or(state.in_(("missing", "in review"))), False)
    failed_test, failed_drill = _failed_test(), (c.rests_on == "drill") & _failed_drill()
    failing = late | failed_test | func.coalesce(failed_drill, False) | _missed_evaluation()
    doubted = func.coalesce(
        or_(
            and_(c.rests_on == "drill", _unproven_switch()),
            and_(c.rests_on == "policy", or_(*_policy_doubt())),
            and_(c.rests_on == "service_levels", _is_late(ports.service_level_problems()())),
            and_(c.rests_on == "incidents", _is_late(ports.incident_problems()())),
        ),
        False,
    )
    last_passed = (
        select(ControlTest.id).where(ControlTest.control_id == c.id).exists() & ~failed_test
    )
    return (
        select(
            c.id,
            accepted.label("has_evidence"),
            failing.label("failing"),
            failing.label("is_red"),
            or_(waiting, ~func.bool_or(found), ~accepted, doubted).label("unproven"),
            last_passed.label("tested"),
        )
        .outerjoin(link, (link.control_id == c.id) & link.removed_at.is_(None))
        .outerjoin(f, f.c.id == link.evidence_id)
        .where(c.retired_at.is_(None))
        .group_by(c.id, c.tenant_id, c.rests_on)
    )


def _failed_test() -> ColumnElement[bool]:
    """Return the condition that a test of the control failed.

    A failure from a sample counts while one of its exceptions is open. Otherwise the newest test
    counts.
    """
    t, last = ControlTest, aliased(ControlTest)
    unsettled = (
        select(last.unsettled)
        .where(last.sample_id == t.sample_id, last.control_id == t.control_id)
        .order_by(last.id.desc())
        .limit(1)
        .correlate(t)
        .scalar_subquery()
    )
    open_sample = select(t.id).where(
        t.control_id == Control.id, t.sample_id.is_not(None), t.failed > 0, unsettled > 0
    )
    counted = aliased(ControlTest)
    newest = (
        select(counted.failed > 0)
        .where(
            counted.control_id == Control.id, counted.sample_id.is_(None) | (counted.failed == 0)
        )
        .order_by(counted.tested_on.desc(), counted.id.desc())
        .limit(1)
        .correlate(Control)
        .scalar_subquery()
    )
    return open_sample.correlate(Control).exists() | func.coalesce(newest, False)


def _failed_drill() -> Any:
    """Return the condition that the last drill of a live system or of its features failed.

    A drill of the entire system counts for its features.
    """
    d, later = aliased(Drill), aliased(Drill)
    overtaken = select(later.id).where(
        later.system_id == d.system_id,
        _ended(later),
        later.ended_at > d.ended_at,
        later.feature_id.is_(None) | (later.feature_id == d.feature_id),
    )
    failed = (
        select(d.id)
        .join(AISystem, AISystem.id == d.system_id)
        .where(AISystem.retired_at.is_(None), _ended(d))
    )
    return exists(failed.where(d.state == "failed", ~overtaken.correlate(d).exists()))


def _unproven_switch() -> Any:
    """Return the condition that a live system has no passed drill of all its features in 90 days."""
    d = aliased(Drill)
    oldest = cast(TODAY, Date) - literal(DRILL_VALID_DAYS, Integer)
    passed = select(d.id).where(
        d.system_id == AISystem.id,
        d.feature_id.is_(None),
        d.state == "passed",
        cast(func.timezone("UTC", d.ended_at), Date) >= oldest,
    )
    return exists(
        select(AISystem.id).where(
            AISystem.retired_at.is_(None), ~passed.correlate(AISystem).exists()
        )
    )


def _ended(d: Any) -> Any:
    return d.state.in_(("passed", "failed")) & d.ended_at.is_not(None) & (d.ended_at <= NOW)


def _policy_doubt() -> Any:
    """Return two conditions: the policy is the most permissive one, and a waiver is open.

    A tenant without a published policy has the most permissive one.
    """
    v, w = aliased(PolicyVersion), aliased(Waiver)
    in_force = (
        select(v.content["tier"].astext)
        .where(v.in_force_from <= NOW)
        .order_by(v.in_force_from.desc())
        .limit(1)
    )
    open_ones = select(w.id).where(
        w.live_from <= NOW, w.expires_at > NOW, w.closed_at.is_(None) | (w.closed_at > NOW)
    )
    return func.coalesce(
        in_force.scalar_subquery(), MOST_PERMISSIVE_TIER
    ) == MOST_PERMISSIVE_TIER, exists(open_ones)


def _is_late(problems: Any) -> Any:
    """Return the condition that one of these problems is open now."""
    p = problems.subquery().c
    return exists(select(p.id).where(p.since <= NOW, p.until.is_(None) | (p.until > NOW)))


def _missed_evaluation() -> ColumnElement[bool]:
    """Return the condition that a finding is open on a measure that the control depends on."""
    p = ports.missed_evaluations()().subquery().c
    open_ones = select(p.id).where(
        p.control_id == Control.id, p.since <= NOW, p.until.is_(None) | (p.until > NOW)
    )
    return open_ones.correlate(Control).exists()


def lowered_requirement(evidence_id: Any) -> Any:
    """Return the sentence as an SQL expression, or NULL.

    If several requirements are lowered, it names the first assessed one in the publisher's order.
    """
    link, m, level = aliased(EvidenceLink), aliased(ControlMapping), levels()
    facts = live_facts().alias()
    assessed = (
        select(AssessmentItem.id)
        .where(AssessmentItem.requirement_id == Requirement.id)
        .correlate(Requirement)
    )
    sentence = func.concat("keeps ", Requirement.ref, " at level ", level.c.level)
    found = (
        select(sentence)
        .select_from(link)
        .join(facts, facts.c.id == link.evidence_id)
        .join(m, (m.control_id == link.control_id) & m.removed_at.is_(None))
        .join(Control, (Control.id == link.control_id) & Control.retired_at.is_(None))
        .join(Requirement, Requirement.id == m.requirement_id)
        .join(level, level.c.requirement_id == m.requirement_id)
        .where(link.evidence_id == evidence_id, link.removed_at.is_(None), facts.c.state.in_(LATE))
        .order_by(~assessed.exists(), Requirement.position)
        .limit(1)
    )
    return found.scalar_subquery()
