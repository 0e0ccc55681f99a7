"""Queries for evaluation findings and for the controls that rest on measures.

finding(id), findings(…)          one finding; a page of findings with their systems
open_finding(…), followed(run)    what the work checks to avoid repeating itself
measure_controls(suite_id)        the controls of each measure
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, ScalarSelect, Select, Uuid, bindparam, func, select
from sqlalchemy.orm import aliased

from governance.assurance.controls.models import Control
from governance.assurance.evaluation_findings.models import (
    EvaluationFinding,
    FollowedRun,
    MeasureControl,
)
from governance.assurance.evidence.models import EvidenceVersion
from governance.assurance.evidence.version_queries import is_not_withdrawn
from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Rows, Selected, read_rows
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import Keyset, keyset
from governance.kernel.safety.visibility_scope import limits
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.systems.models import AISystem


def finding(finding_id: UUID, *, lock: bool = False) -> EvaluationFinding:
    """Return the finding. Raise NotFound if no control in the reader's scope rests on it."""
    found = find(EvaluationFinding, finding_id, what="finding", lock=lock)
    _check_seen(found)
    return found


def _check_seen(found: EvaluationFinding) -> None:
    seen = seen_ids()
    if seen is not None and session().scalar(seen.where(EvaluationFinding.id == found.id)) is None:
        raise NotFound("This finding doesn't exist, or you don't have access to it.")


_FINDING = bindparam("finding_id", type_=Uuid())


def _its(column: str) -> ScalarSelect[Any]:
    """Select a column of the requested finding."""
    its = aliased(EvaluationFinding)
    return select(getattr(its, column)).where(its.id == _FINDING).scalar_subquery()


def _its_runs[*Columns](query: Select[*Columns]) -> Select[*Columns]:
    """Restrict a query of runs to those that the finding names."""
    f = EvaluationFinding
    named = EvaluationRun.id.in_((f.first_run_id, f.last_run_id, f.passed_run_id))
    return query.select_from(EvaluationRun).join(f, named).where(f.id == _FINDING)


def _its_controls() -> Select[UUID]:
    m, f = MeasureControl, EvaluationFinding
    rests = (m.suite_id == f.suite_id) & (m.measure == f.measure)
    return select(m.control_id).join(f, rests).where(f.id == _FINDING, m.removed_at.is_(None))


ABOUT: tuple[Rows[Any], ...] = (
    Rows(EvaluationFinding, lambda m: m.id == _FINDING, lambda m: (m.id,)),
    Rows(AISystem, lambda m: m.id == _its("system_id"), lambda m: (m.id,)),
    Rows(EvaluationSuite, lambda m: m.id == _its("suite_id"), lambda m: (m.id,)),
)
RUNS: tuple[Selected[Any], ...] = (
    Selected(lambda: _its_runs(select(EvaluationRun))),
    Rows(
        SuiteVersion,
        lambda m: m.id.in_(_its_runs(select(EvaluationRun.version_id))),
        lambda m: (m.id,),
    ),
)
RESULTS = evaluations.results_in(lambda: _its_runs(select(EvaluationRun.id)))
CONTROLS = Rows(
    Control,
    lambda m: m.id.in_(_its_controls()) & m.retired_at.is_(None),
    lambda m: (m.ref,),
)


def finding_and_about(finding_id: UUID) -> tuple[EvaluationFinding, AISystem, EvaluationSuite]:
    """Return the finding with its AI system and suite, in one statement.

    Raise NotFound as `finding` does.
    """
    found, system, suite = read_rows(*ABOUT, finding_id=finding_id)
    if not found:
        raise NotFound("This finding doesn't exist, or you don't have access to it.")
    _check_seen(found[0])
    return found[0], system[0], suite[0]


def seen_ids() -> Select[UUID] | None:
    """Select the ids of the findings that the reader may open. None means all of them."""
    scope = limits()
    if scope is None:
        return None
    f, m = EvaluationFinding, MeasureControl
    return select(f.id).where(
        select(m.id)
        .where(
            m.suite_id == f.suite_id,
            m.measure == f.measure,
            m.control_id.in_(scope.controls or ()),
        )
        .correlate(f)
        .exists()
    )


def about(found: EvaluationFinding) -> Row[AISystem, EvaluationSuite]:
    """Return the AI system and the suite of a finding."""
    query = (
        select(AISystem, EvaluationSuite)
        .join(EvaluationSuite, EvaluationSuite.id == found.suite_id)
        .where(AISystem.id == found.system_id)
    )
    return session().execute(query).one()


def runs(found: EvaluationFinding) -> dict[UUID, tuple[EvaluationRun, SuiteVersion]]:
    """Return the runs that the finding names, each with its suite version, in one statement."""
    rows, ran = read_rows(*RUNS, finding_id=found.id)
    versions = {each.id: each for each in ran}
    return {each.id: (each, versions[each.version_id]) for each in rows}


def results(found: EvaluationFinding) -> dict[UUID, tuple[MeasureResult, SuiteMeasure]]:
    """Return the results of the finding's measure by run, for the runs it names, in one statement."""
    pairs = evaluations.with_measures(*read_rows(*RESULTS, finding_id=found.id))
    return {pair[0].run_id: pair for pair in pairs if pair[1].key == found.measure}


def controls(found: EvaluationFinding) -> list[Control]:
    """Return the live controls that rest on the measure and that the reader may view, by ref."""
    scope, rows = limits(), CONTROLS.read(finding_id=found.id)
    return [each for each in rows if scope is None or each.id in (scope.controls or ())]


def findings(*, closed: bool = False, after: str | None = None, size: int = 50) -> Keyset:
    """Return a page of open or closed findings with system and suite, newest first."""
    e = EvaluationFinding
    query = (
        select(e, AISystem, EvaluationSuite)
        .join(AISystem, AISystem.id == e.system_id)
        .join(EvaluationSuite, EvaluationSuite.id == e.suite_id)
        .where(e.closed_at.is_not(None) if closed else e.closed_at.is_(None))
    )
    if (seen := seen_ids()) is not None:
        query = query.where(e.id.in_(seen))
    return keyset(cast("Select[Any]", query), e.number, after=after, size=size, descending=True)


def findings_of(
    system_id: UUID, *, limit: int = 50
) -> Sequence[Row[EvaluationFinding, EvaluationSuite]]:
    """Return the findings of a system with their suites: open ones first, then by newest."""
    e = EvaluationFinding
    query = (
        select(e, EvaluationSuite)
        .join(EvaluationSuite, EvaluationSuite.id == e.suite_id)
        .where(e.system_id == system_id)
    )
    if (seen := seen_ids()) is not None:
        query = query.where(e.id.in_(seen))
    ordered = query.order_by(e.closed_at.is_not(None), e.number.desc()).limit(limit)
    return session().execute(ordered).all()


def open_finding(system_id: UUID, suite_id: UUID, measure: str) -> EvaluationFinding | None:
    """Return the open finding of this measure. There is at most one."""
    e = EvaluationFinding
    query = select(e).where(
        e.system_id == system_id,
        e.suite_id == suite_id,
        e.measure == measure,
        e.closed_at.is_(None),
    )
    return session().scalars(query).one_or_none()


def next_number() -> int:
    """Return the number of the tenant's next finding. The caller holds the lock."""
    newest = session().scalar(select(func.max(EvaluationFinding.number)))
    return int(newest or 0) + 1


def followed(run_id: UUID) -> FollowedRun | None:
    """Return the record of a run's consequences, or None if they weren't applied yet."""
    return session().scalars(select(FollowedRun).where(FollowedRun.run_id == run_id)).one_or_none()


def filed(
    suite_id: UUID, ids: Collection[UUID] | None = None
) -> Sequence[Row[FollowedRun, EvaluationRun, SuiteVersion, EvidenceVersion]]:
    """Return the runs of a suite filed as evidence that isn't withdrawn; only `ids`, if given."""
    f = FollowedRun
    query = (
        select(f, EvaluationRun, SuiteVersion, EvidenceVersion)
        .join(EvaluationRun, EvaluationRun.id == f.run_id)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .join(EvidenceVersion, EvidenceVersion.id == f.evidence_version_id)
        .where(SuiteVersion.suite_id == suite_id, is_not_withdrawn())
        .order_by(EvaluationRun.number)
    )
    return session().execute(query if ids is None else query.where(f.id.in_(ids))).all()


def mapped_since(suite_id: UUID) -> Sequence[Row[str, datetime | None]]:
    """Return each measure that ever had a control, with the time its mapping was removed."""
    m = MeasureControl
    return session().execute(select(m.measure, m.removed_at).where(m.suite_id == suite_id)).all()


def passed_since(
    suite_id: UUID,
) -> Sequence[Row[EvaluationFinding, EvaluationRun, SuiteVersion]]:
    """Return and lock the open findings of a suite that have a later pass, with that run."""
    f = EvaluationFinding
    query = (
        select(f, EvaluationRun, SuiteVersion)
        .join(EvaluationRun, EvaluationRun.id == f.passed_run_id)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .where(f.suite_id == suite_id, f.closed_at.is_(None))
        .order_by(f.number)
        .with_for_update(of=f)
    )
    return session().execute(query).all()


def undecided_findings(findings: Collection[EvaluationFinding]) -> Mapping[UUID, str]:
    """Return why the newest run of each open finding no longer counts, in two statements.

    Findings whose run still counts are left out.
    """
    newest = {each: each.passed_run_id or each.last_run_id for each in findings if each.is_open}
    query = (
        select(EvaluationRun, SuiteVersion)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .where(EvaluationRun.id.in_(newest.values()))
    )
    found = {row[0].id: (row[0], row[1]) for row in session().execute(query)} if newest else {}
    stale = judge_queries.stale((run, version.suite_id) for run, version in found.values())
    reasons = {each.id: undecided(each, *found[run_id], stale) for each, run_id in newest.items()}
    return {finding_id: why for finding_id, why in reasons.items() if why}


def undecided(
    found: EvaluationFinding,
    run: EvaluationRun,
    version: SuiteVersion,
    stale: Mapping[tuple[UUID, str], str],
) -> str:
    """Return why a run of a finding no longer counts, or "" if it does."""
    if version.withdrawn_at is not None:
        return f"Version {version.number} of the suite was withdrawn"
    return stale.get((run.id, found.measure), "")


def standing_pass(found: EvaluationFinding) -> UUID | None:
    """Return the id of the later run that passed, if it still counts."""
    if found.passed_run_id is None:
        return None
    run, version = runs(found)[found.passed_run_id]
    stale = judge_queries.stale([(run, version.suite_id)])
    return None if undecided(found, run, version, stale) else run.id


def newer_run(run: EvaluationRun, suite_id: UUID) -> EvaluationRun | None:
    """Return the latest completed run of the same system, release and suite, if one is newer."""
    r = EvaluationRun
    query = (
        select(r)
        .join(SuiteVersion, SuiteVersion.id == r.version_id)
        .where(
            r.system_id == run.system_id,
            r.release == run.release,
            SuiteVersion.suite_id == suite_id,
            SuiteVersion.withdrawn_at.is_(None),
            r.state == "judged",
            r.outcome == "completed",
            r.id != run.id,
            (r.ran_at > run.ran_at) | ((r.ran_at == run.ran_at) & (r.number > run.number)),
        )
        .order_by(r.ran_at.desc())
        .limit(1)
    )
    return session().scalars(query).one_or_none()


def measure_controls(suite_id: UUID) -> Sequence[Row[str, Control]]:
    """Return (measure, control) for each live control that rests on the suite's measures, by ref."""
    m, scope = MeasureControl, limits()
    query = (
        select(m.measure, Control)
        .join(Control, Control.id == m.control_id)
        .where(m.suite_id == suite_id, m.removed_at.is_(None), Control.retired_at.is_(None))
    )
    if scope is not None:
        query = query.where(Control.id.in_(scope.controls or ()))
    return session().execute(query.order_by(m.measure, Control.ref)).all()


def mapping(suite_id: UUID, measure: str, control_id: UUID) -> MeasureControl | None:
    """Return the open mapping, if there is one."""
    m = MeasureControl
    query = select(m).where(
        m.suite_id == suite_id,
        m.measure == measure,
        m.control_id == control_id,
        m.removed_at.is_(None),
    )
    return session().scalars(query).one_or_none()


def mapped_counts() -> dict[UUID, int]:
    """Count the mappings of each suite, by suite, in one statement."""
    m = MeasureControl
    query = (
        select(m.suite_id, func.count())
        .join(Control, Control.id == m.control_id)
        .where(m.removed_at.is_(None), Control.retired_at.is_(None))
        .group_by(m.suite_id)
    )
    return {row[0]: row[1] for row in session().execute(query)}


def open_count() -> Select[int]:
    """Select the number of open findings on live AI systems."""
    f = EvaluationFinding
    return (
        select(func.count())
        .select_from(f)
        .join(AISystem, AISystem.id == f.system_id)
        .where(f.closed_at.is_(None), AISystem.retired_at.is_(None))
    )
