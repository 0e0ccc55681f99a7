"""Queries of the public explanation of an AI system: its address and its content.

explanation(system_id), explanation_of_token(token)    the address
content(system)                                        the content, from the record as it is now
"""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import case, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from governance.kernel.data.db import session
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import (
    EvaluationRun,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.evaluations.releases import served_releases
from governance.operations.policies import queries as policies
from governance.operations.policies.dimensions import DIMENSIONS
from governance.operations.policies.setting_labels import value_meaning
from governance.operations.switches.models import Drill
from governance.operations.systems.models import AISystem
from governance.publishing.explanations.models import SystemExplanation
from governance.publishing.explanations.wording import (
    LastDrill,
    LastEvaluation,
    PublicExplanation,
    user_controls,
)

# The settings that people who use a system notice, in the order of the page.
TOLD = (
    "grounding",
    "citations",
    "content_filter",
    "human_review",
    "tool_use",
    "memory",
    "pii_redaction",
    "content_capture",
    "retention_days",
    "training_use",
)


def explanation(system_id: UUID, *, lock: bool = False) -> SystemExplanation | None:
    query = select(SystemExplanation).where(SystemExplanation.system_id == system_id)
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def explanation_of_token(token: str) -> tuple[SystemExplanation, AISystem] | None:
    """Return the acting tenant's public explanation with this token, and its system."""
    query = (
        select(SystemExplanation, AISystem)
        .join(AISystem, AISystem.id == SystemExplanation.system_id)
        .where(
            SystemExplanation.token == token,
            SystemExplanation.is_public,
            AISystem.retired_at.is_(None),
        )
    )
    row = session().execute(query).one_or_none()
    return (row[0], row[1]) if row else None


def content(system: AISystem) -> PublicExplanation:
    """Return the content of the page: register, policy, the newest evaluations, the last drill."""
    return PublicExplanation(
        name=system.name,
        why=system.why_shown,
        purpose=system.purpose,
        capabilities=tuple(system.capabilities),
        limits=tuple(system.limits),
        controls=user_controls(
            system.memory_control,
            system.sources_control,
            system.tone_control,
            system.verify_control,
        ),
        policy=tuple(_policy(system)),
        evaluation=_evaluation(system.id),
        drill=_drill(system.id),
    )


def _policy(system: AISystem) -> Iterator[tuple[str, str]]:
    """Return each question about the policy that people notice, with its answer."""
    policy = policies.current_policy()
    governed = next((each for each in policy.systems if each.key == system.key), None)
    values = policy.effective(governed)
    for key in TOLD:
        if key in values:
            yield DIMENSIONS[key].question, value_meaning(DIMENSIONS[key], values[key].value)


def _evaluation(system_id: UUID) -> LastEvaluation | None:
    """Return the newest judged runs of the served releases, one per suite.

    The runs are those of the newest week that has one. None if no record says which release is
    served.
    """
    r = EvaluationRun
    roles = served_releases.roles_of([system_id]).get(system_id, {})
    served = [release for release, role in roles.items() if role.is_served]
    judged = (
        r.system_id == system_id,
        r.state == "judged",
        r.release.in_(served),
    )
    newest = select(r.week).where(*judged).order_by(r.week.desc()).limit(1).scalar_subquery()
    query = (
        select(r.id, r.judges, r.created_at, r.ran_at, r.cases, SuiteVersion.suite_id)
        .join(SuiteVersion, SuiteVersion.id == r.version_id)
        .where(*judged, r.week == newest)
        .ext(distinct_on(SuiteVersion.suite_id))
        .order_by(SuiteVersion.suite_id, r.ran_at.desc(), r.number.desc())
    )
    runs = session().execute(query).all()
    if not runs:
        return None
    stale = judge_queries.stale((run, run.suite_id) for run in runs)
    verdict = case(
        (tuple_(MeasureResult.run_id, SuiteMeasure.key).in_(stale), "undecided"),
        else_=evaluations.judged_verdict(evaluations.policy_tier()),
    )
    measured = (
        select(SuiteMeasure.name, verdict)
        .join(SuiteMeasure, SuiteMeasure.id == MeasureResult.measure_id)
        .join(EvaluationRun, EvaluationRun.id == MeasureResult.run_id)
        .where(
            MeasureResult.run_id.in_([run.id for run in runs]), SuiteMeasure.is_signal.is_(False)
        )
        .order_by(SuiteMeasure.name)
    )
    return LastEvaluation(
        at=max(run.ran_at or run.created_at for run in runs),
        cases=sum(run.cases for run in runs),
        verdicts=tuple((name, found or "undecided") for name, found in session().execute(measured)),
    )


def _drill(system_id: UUID) -> LastDrill | None:
    query = (
        select(Drill.state, Drill.ended_at, Drill.slowest_ms)
        .where(
            Drill.system_id == system_id,
            Drill.state.in_(("passed", "failed")),
            Drill.ended_at.is_not(None),
        )
        .order_by(Drill.ended_at.desc(), Drill.id)
        .limit(1)
    )
    row = session().execute(query).one_or_none()
    if row is None or row.ended_at is None:
        return None
    return LastDrill(row.ended_at, row.state == "passed", row.slowest_ms)
