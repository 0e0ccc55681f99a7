"""Nightly deletion of old runs' cases, and of files of unreadable runs.

Figures and verdicts stay; a comparison case by case needs cases of both runs.
"""

from datetime import timedelta

from sqlalchemy import delete, exists, select

from governance.kernel import clock
from governance.kernel.data.db import extend_statement_timeout, session, transaction
from governance.kernel.files import storage
from governance.kernel.work import background_work
from governance.kernel.work.jobs import WorkItem
from governance.operations.evaluations.models import RUN_CASES, EvaluationRun
from governance.operations.evaluations.runs import actions as run_actions

CASES_KEPT = timedelta(days=400)
FILES_KEPT = timedelta(days=30)  # For a run whose reading failed or was canceled
NOT_READ = "It wasn't read within 30 days, so its file was removed. Import it again."


def forget_cases() -> int:
    """Delete the cases of runs older than 400 days, one run at a time. Return how many runs."""
    old = (
        select(EvaluationRun.id)
        .where(
            EvaluationRun.created_at < clock.now() - CASES_KEPT,
            exists().where(RUN_CASES.c.run_id == EvaluationRun.id),
        )
        .order_by(EvaluationRun.created_at)
    )
    with transaction(read_only=True):
        runs = session().scalars(old).all()
    for run_id in runs:
        with transaction():
            extend_statement_timeout()
            session().execute(delete(RUN_CASES).where(RUN_CASES.c.run_id == run_id))
    return len(runs)


def remove_files() -> int:
    """Reject runs that weren't read in 30 days, and remove their files and files without a run."""
    ended = (
        select(EvaluationRun.id, EvaluationRun.storage_key)
        .join(WorkItem, WorkItem.id == EvaluationRun.work_item_id)
        .where(
            EvaluationRun.state == "reading",
            WorkItem.state.in_(("failed", "cancelled")),
            WorkItem.finished_at < clock.now() - FILES_KEPT,
        )
    )
    with transaction():
        found = session().execute(ended).all()
        for row in found:
            run_actions.refuse(row.id, "", NOT_READ)
    for row in found:
        if row.storage_key is not None:
            storage.store().remove(row.storage_key)
    with transaction():
        return len(found) + background_work.sweep(run_actions.RUNS)
