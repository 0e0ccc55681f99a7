"""Register the judge of a measure, and people's labels of the same cases.

register(suite, measure, …)     replaces the measure's judge, which makes its earlier figures stale
calibrate(judge, cases, …)      a labelled set; the newest one counts, and a judge whose agreement
                                with people may be chance doesn't decide
"""

from collections.abc import Sequence

from sqlalchemy import insert, select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.work import events
from governance.operations.evaluations.events import JudgeChanged
from governance.operations.evaluations.judges import labels as judge_labels
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.judges.labels import LabelledCase
from governance.operations.evaluations.judges.models import (
    EvaluationJudge,
    JudgeCalibration,
    JudgeLabel,
)
from governance.operations.evaluations.models import EvaluationSuite
from governance.operations.evaluations.runs.case_digests import case_digest
from governance.operations.evaluations.statistics.judges import agreement

REGISTERED = action(
    "evaluation.judge.registered",
    "registered the judge of a measure",
    target="EvaluationJudge",
    activity="create",
    severity="low",
    fields="suite measure judge replaced",
)
CALIBRATED = action(
    "evaluation.judge.calibrated",
    "uploaded people's labels for a judge",
    target="EvaluationJudge",
    activity="update",
    severity="informational",
    fields="suite measure judge cases kappa sha256",
)


def register(
    suite: EvaluationSuite, *, measure: str, provider: str, name: str, version: str
) -> EvaluationJudge:
    """Register the judge of a measure, replacing its current one. Raises Invalid with the field."""
    if suite.is_retired:
        raise DomainError(f"{suite.name} is retired.")
    if measure not in {each.key for each in judge_queries.rate_measures(suite.id)}:
        raise Invalid("Choose a measure of the suite that is a share of cases.", field="measure")
    for value, field, noun in ((provider, "provider", "provider"), (name, "name", "model")):
        if not value.strip():
            raise Invalid(f"Enter the {noun}.", field=field)
    if not version.strip():
        raise Invalid("Enter the version: another version judges in another way.", field="version")
    lock_tenant(f"judges of {suite.id}")
    judge = EvaluationJudge(
        id=uuid7(),
        suite_id=suite.id,
        measure_key=measure,
        provider=provider.strip(),
        name=name.strip(),
        version=version.strip(),
        created_at=clock.now(),
    )
    for model in judge_queries.evaluated_models(suite.id):
        if judge_queries.is_judged_by_itself(model, judge):
            raise Invalid(
                f"Runs of this suite evaluate {model}, and no model judges itself. Choose another.",
                field="name",
            )
    replaced = _current(suite, measure)
    if replaced is not None:
        if replaced.model == judge.model:
            raise Invalid(f"{judge.model} is the judge already.", field="name")
        replaced.replaced_at = clock.now()
        session().flush()
    session().add(judge)
    session().flush()
    record(
        REGISTERED,
        judge,
        suite=suite.key,
        measure=measure,
        judge=judge.model,
        replaced=replaced.model if replaced else None,
    )
    tenant_revision.advance()
    events.publish(JudgeChanged(suite.id, measure))
    return judge


def _current(suite: EvaluationSuite, measure: str) -> EvaluationJudge | None:
    query = select(EvaluationJudge).where(
        EvaluationJudge.suite_id == suite.id,
        EvaluationJudge.measure_key == measure,
        EvaluationJudge.replaced_at.is_(None),
    )
    return session().scalars(query.with_for_update()).one_or_none()


def calibrate(
    judge: EvaluationJudge,
    suite: EvaluationSuite,
    cases: Sequence[LabelledCase],
    *,
    filename: str,
    sha256: str,
) -> JudgeCalibration:
    """Store a labelled set, and compute how far the judge agrees with it."""
    if not judge.is_current:
        raise DomainError(f"{judge.model} isn't the judge any more.")
    labels = judge_labels.count(cases)
    found = agreement(labels)
    calibration = JudgeCalibration(
        judge_id=judge.id,
        filename=filename,
        sha256=sha256,
        both_pass=labels.both_yes,
        only_people=labels.only_people,
        only_judge=labels.only_judge,
        both_fail=labels.both_no,
        kappa=found.kappa if found else None,
        kappa_low=found.low if found else None,
        kappa_high=found.high if found else None,
        uploaded_by=current.person_id(),
        created_at=clock.now(),
    )
    session().add(calibration)
    session().flush()
    tenant_id, now = current.actor().tenant_id, clock.now()
    session().execute(
        insert(JudgeLabel),
        [
            {
                "tenant_id": tenant_id,
                "id": uuid7(),
                "calibration_id": calibration.id,
                "case_digest": case_digest(each.case),
                "people_pass": each.people_pass,
                "judge_passes": each.judge_passes,
                "created_at": now,
            }
            for each in cases
        ],
    )
    record(
        CALIBRATED,
        judge,
        suite=suite.key,
        measure=judge.measure_key,
        judge=judge.model,
        cases=labels.n,
        kappa=round(found.kappa, 3) if found else None,
        sha256=sha256,
    )
    tenant_revision.advance()
    events.publish(JudgeChanged(suite.id, judge.measure_key))
    return calibration
