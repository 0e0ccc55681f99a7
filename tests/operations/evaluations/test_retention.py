"""Nightly deletion of old runs' cases and unreadable files; figures and verdicts stay."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.files import storage
from governance.kernel.work import jobs
from governance.operations.evaluations import jobs as nightly
from governance.operations.evaluations import queries
from governance.operations.evaluations.comparisons import comparing
from governance.operations.evaluations.comparisons.comparing import NotComparable
from governance.operations.evaluations.models import RUN_CASES
from governance.operations.evaluations.runs import retention
from governance.operations.systems import queries as register
from tests import make
from tests.operations.evaluations.evaluation_helpers import (
    drain,
    imported,
    judged,
    log_of,
    published_suite,
    system,
)

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with clock.frozen(NOW):
        with make.acting("admin"):
            published_suite()
            system()
        yield


def cases():
    with make.acting("admin"):
        return session().scalar(select(func.count()).select_from(RUN_CASES))


def test_cases_go_after_400_days_and_figures_stay():
    run = judged(log_of(3, 1))
    with clock.frozen(NOW + retention.CASES_KEPT - timedelta(hours=1)):
        nightly.forget_cases()
    assert cases() == 4
    with clock.frozen(NOW + retention.CASES_KEPT + timedelta(days=1)):
        nightly.forget_cases()
        assert cases() == 0
        with make.acting("admin"):
            assert queries.results_of([run.id])
            assert queries.run(run.id).cases == 4


def test_runs_whose_cases_are_gone_say_so_instead_of_having_none_in_common():
    old, new = judged(log_of(3, 1)), judged(log_of(2, 2, run="run-2"), release="2026.12.0")
    with clock.frozen(NOW + retention.CASES_KEPT + timedelta(days=1)):
        late = judged(log_of(4, 0, run="run-3"), release="2027.12.0")
        nightly.forget_cases()
        with make.acting("viewer"):
            with pytest.raises(NotComparable, match="The cases of run 1 and run 2 were deleted"):
                comparing.compare(old.id, new.id)
            with pytest.raises(NotComparable, match="The cases of run 2 were deleted 400 days"):
                comparing.compare(new.id, late.id)


def test_a_file_that_nobody_could_read_goes_after_30_days_and_may_come_again():
    with make.acting("admin"):
        suite, triage = queries.suite("claims-grounding"), register.system("claims-triage")
        run = imported(log_of(3, 0), suite, triage)
        run_id, key = run.id, run.storage_key
        session().get(jobs.WorkTicket, run.work_item_id).tries = jobs.MAX_ATTEMPTS
    drain()
    nightly.remove_files()
    assert storage.store().exists(key)
    with clock.frozen(NOW + retention.FILES_KEPT + timedelta(days=1)):
        nightly.remove_files()
    assert not storage.store().exists(key)
    with make.acting("admin"):
        run = queries.run(run_id)
        assert (run.state, run.problem) == ("refused", retention.NOT_READ)
    assert judged(log_of(3, 0)).state == "judged"
