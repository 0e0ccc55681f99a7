"""A month that two processes close at once, committed on their own connections."""

import threading

from sqlalchemy import func, select

from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.work.jobs import WorkItem
from governance.publishing.statements import jobs as closing
from governance.publishing.statements.models import CreditEntry, Statement, StatementRevision
from tests import make
from tests.publishing.statements import statement_helpers as helpers
from tests.publishing.statements.statement_helpers import DUE
from tests.waiting import MAX_WAIT_SECONDS


def at_once(act):
    """Run two threads as Meridian itself in Globex, on the day of the close."""
    start, outcomes = threading.Barrier(2), []

    def run():
        with current.acting_as(make.system_actor("globex")), clock.frozen(DUE):
            start.wait(MAX_WAIT_SECONDS)
            outcomes.append(act())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)
    return outcomes


def start_due():
    with transaction():
        return closing.start_due(DUE)


def test_two_schedulers_and_two_workers_close_a_month_once(committed_world):
    with make.acting("admin", "globex"):
        helpers.october()
    assert sorted(at_once(start_due)) == [0, 1]
    with make.acting("admin", "globex"):
        item = session().scalars(select(WorkItem).where(WorkItem.kind == "statement")).one()
        session().expunge(item)
    assert len(at_once(lambda: closing.close_month(item, lambda *_: None))) == 2
    with make.acting("admin", "globex"):
        for model in (Statement, StatementRevision, CreditEntry):
            assert session().scalar(select(func.count()).select_from(model)) == 1
