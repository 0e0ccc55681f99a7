"""Recorded events since a time, which customers may want to know about.

    since(start, end)    drafts of ended rollouts, substantially changed systems, published policies,
                         and findings of evaluations and red teams that a run closed

Each source takes one statement, and a few more if it finds something.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.assurance.red_teams import catalogue
from governance.assurance.red_teams.models import RedTeamAttempt, RedTeamFinding, RedTeamScenario
from governance.kernel.data.db import session
from governance.operations.evaluations.models import EvaluationRun
from governance.operations.policies import queries as policies
from governance.operations.policies.dimensions import DIMENSIONS, Value
from governance.operations.policies.effective_policies import Content, read_content
from governance.operations.policies.models import PolicyVersion
from governance.operations.policies.policy_diff import lines
from governance.operations.policies.setting_labels import setting_title, value_label, value_meaning
from governance.operations.rollouts.models import Rollout
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem, SystemFeature, SystemVersion
from governance.publishing.change_log import drafts
from governance.publishing.change_log.drafts import ChangeDraft, draft

# Each source of drafts, with the class of its rows as audit entries link it.
SOURCES = {
    "rollout": "Rollout",
    "system_version": "",
    "policy_version": "PolicyVersion",
    "evaluation_finding": "EvaluationFinding",
    "red_team_finding": "RedTeamFinding",
}
MAX_OF_EACH = 200  # Per source and run. The rest is read by the next run.


def since(start: datetime, end: datetime) -> list[ChangeDraft]:
    """Return the drafts of events after `start` and up to `end`, in that order."""
    found = chain(
        _rollouts(start, end),
        _systems(start, end),
        _policies(start, end),
        _findings(start, end),
        _red_team_findings(start, end),
    )
    return sorted(found, key=lambda each: each.at)


def _rollouts(start: datetime, end: datetime) -> Iterator[ChangeDraft]:
    """Yield rollouts that served somebody. A release that ended in shadow affects no customer."""
    query = (
        select(Rollout, AISystem.name, SystemFeature.key)
        .join(AISystem, AISystem.id == Rollout.system_id)
        .join(SystemFeature, SystemFeature.id == Rollout.feature_id)
        .where(
            Rollout.ended_at > start,
            Rollout.ended_at <= end,
            Rollout.position > 0,
            Rollout.state.in_(("finished", "rolled_back")),
        )
        .order_by(Rollout.ended_at)
        .limit(MAX_OF_EACH)
    )
    for row, system, feature in session().execute(query):
        is_finished = row.state == "finished"
        words = (
            drafts.finished(system, feature, row.release, row.previous, row.summary)
            if is_finished
            else drafts.rolled_back(
                system, feature, row.release, row.previous, row.stages[row.position].where
            )
        )
        yield draft(
            words,
            kind="release" if is_finished else "rollback",
            cause="rollout",
            cause_id=row.id,
            system_id=row.system_id,
            at=row.ended_at,
        )


def _systems(start: datetime, end: datetime) -> Iterator[ChangeDraft]:
    earlier = aliased(SystemVersion)
    query = (
        select(SystemVersion, earlier.content)
        .join(
            earlier,
            (earlier.tenant_id == SystemVersion.tenant_id)
            & (earlier.system_id == SystemVersion.system_id)
            & (earlier.number == SystemVersion.number - 1),
        )
        .where(
            SystemVersion.created_at > start,
            SystemVersion.created_at <= end,
            SystemVersion.substantial != [],
        )
        .order_by(SystemVersion.created_at)
        .limit(MAX_OF_EACH)
    )
    for row, before in session().execute(query):
        yield draft(
            drafts.changed_system(before, row.content),
            kind="model",
            cause="system_version",
            cause_id=row.id,
            system_id=row.system_id,
            at=row.created_at,
        )


def _policies(start: datetime, end: datetime) -> Iterator[ChangeDraft]:
    v = PolicyVersion
    query = select(v).where(v.in_force_from > start, v.in_force_from <= end, v.number > 1)
    rows = session().scalars(query.order_by(v.number).limit(MAX_OF_EACH)).all()
    if not rows:
        return
    numbers = {number for row in rows for number in (row.number, (row.number or 0) - 1)}
    contents = {
        row.number: read_content(row.content)
        for row in session().scalars(select(v).where(v.number.in_(numbers)))
    }
    names = {each.id: each.name for each in systems.live_systems()}
    for row in rows:
        number, since = row.number or 0, row.in_force_from
        changed = _settings(contents.get(number - 1, Content()), contents[number], names)
        if changed and since is not None:
            yield draft(
                drafts.policy(number, since, changed),
                kind="policy",
                cause="policy_version",
                cause_id=row.id,
                system_id=None,
                at=since,
            )


def _settings(
    before: Content, after: Content, names: dict[UUID, str]
) -> list[tuple[str, str, str, str, str]]:
    """Return the settings of the tenant and of the systems in use, as people read them."""
    tiers = policies.platform().tiers
    return [
        (
            names[each.system_id] if each.system_id else "",
            setting_title(each.key),
            value_label(each.before, each.key, tiers),
            value_label(each.after, each.key, tiers),
            _meaning(each.key, each.after),
        )
        for each in lines(before, after)
        if each.system_id is None or each.system_id in names
    ]


def _meaning(key: str, value: Value | None) -> str:
    """Return what a level does, or "" for values whose label says it."""
    known = DIMENSIONS.get(key)
    return value_meaning(known, value) if known and known.levels and value is not None else ""


def _ran(run: type[EvaluationRun]) -> ColumnElement[datetime]:
    return func.coalesce(run.ran_at, run.created_at)


def _findings(start: datetime, end: datetime) -> Iterator[ChangeDraft]:
    """Yield findings that a later run closed. Closing a finding without a run fixes nothing."""
    f, missed, passed = EvaluationFinding, aliased(EvaluationRun), aliased(EvaluationRun)
    query = (
        select(f, AISystem.name, _ran(missed), _ran(passed))
        .join(AISystem, AISystem.id == f.system_id)
        .join(missed, missed.id == f.first_run_id)
        .join(passed, passed.id == f.passed_run_id)
        .where(f.closed_at > start, f.closed_at <= end)
        .order_by(f.closed_at)
        .limit(MAX_OF_EACH)
    )
    for row, system, was_missed, was_passed in session().execute(query):
        yield draft(
            drafts.measure_fixed(system, row.name, was_missed, was_passed),
            kind="fix",
            cause="evaluation_finding",
            cause_id=row.id,
            system_id=row.system_id,
            at=row.closed_at,
        )


def _red_team_findings(start: datetime, end: datetime) -> Iterator[ChangeDraft]:
    """Yield findings that their regression case closed. Only the class of the weakness is read."""
    f, s = RedTeamFinding, RedTeamScenario
    query = (
        select(f.id, f.system_id, f.ended_at, f.fixed_release, s.risk, AISystem.name)
        .join(AISystem, AISystem.id == f.system_id)
        .join(RedTeamAttempt, RedTeamAttempt.id == f.attempt_id)
        .join(s, s.id == RedTeamAttempt.scenario_id)
        .where(f.state == "closed", f.ended_at > start, f.ended_at <= end)
        .order_by(f.ended_at)
        .limit(MAX_OF_EACH)
    )
    for row in session().execute(query):
        yield draft(
            drafts.weakness_fixed(
                row.name,
                catalogue.list_of(row.risk),
                row.risk,
                catalogue.NAMES.get(row.risk, ""),
                row.fixed_release,
            ),
            kind="fix",
            cause="red_team_finding",
            cause_id=row.id,
            system_id=row.system_id,
            at=row.ended_at,
        )
