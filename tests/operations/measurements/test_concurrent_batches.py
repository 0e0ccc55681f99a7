"""Concurrent batches, committed on their own connections."""

import threading
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import select

from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.intervals import Span
from governance.operations.measurements import actions, queries
from governance.operations.measurements.models import HOURS
from governance.operations.measurements.scoring import Counts
from tests import make
from tests.operations.measurements.measurement_helpers import MINUTE, NOW, define, system_of
from tests.waiting import MAX_WAIT_SECONDS


def together(*batches):
    """Run each in its own thread and transaction, as simultaneously as possible."""
    start, results = threading.Barrier(len(batches)), []

    def act(batch):
        with current.acting_as(make.actor("admin", "globex")), clock.frozen(NOW):
            start.wait(MAX_WAIT_SECONDS)
            try:
                with transaction():
                    results.append(batch())
            except Exception as error:  # noqa: BLE001 - the test shows it
                results.append(error)

    threads = [threading.Thread(target=act, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)
    return results


def _define():
    """Define new indicators for each run, since what is committed here stays."""
    return define(f"race-{uuid4().hex[:20]}", system_id=system_of("measured").id)


def test_two_batches_with_the_same_minutes_neither_wait_in_a_circle_nor_count_twice(
    committed_world,
):
    with clock.frozen(NOW), make.acting("admin", "globex"):
        one, other = _define(), _define()
    minutes = [NOW - n * MINUTE for n in range(1, 181)]
    forth = [(i, at, 1, 2) for i in (one, other) for at in minutes]
    back = [(i, at, 2, 2) for i in (other, one) for at in reversed(minutes)]
    results = together(
        lambda: actions.store(forth), lambda: actions.store(back), lambda: actions.store(forth)
    )
    assert sorted(result.accepted for result in results) == [0, 0, 360]
    assert [r.accepted + r.corrected + r.duplicate for r in results] == [360] * 3
    with make.acting("admin", "globex"):
        for indicator_id in (one, other):
            rows = queries.minute_rows(indicator_id, Span(NOW - timedelta(hours=3), NOW))
            found = queries.counts(indicator_id, [Span(NOW - timedelta(hours=3), NOW)])
            assert found == Counts(180, 0, sum(good for _, good, *_ in rows), 360)
            assert len({good for _, good, *_ in rows}) == 1  # All are from one batch, the last.
            assert actions.rebuild(indicator_id, Span(NOW - timedelta(days=1), NOW)) == 0


def test_batches_with_other_minutes_of_one_hour_add_up(committed_world):
    with clock.frozen(NOW), make.acting("admin", "globex"):
        mine = _define()
    batches = [
        [(mine, NOW - n * MINUTE, 1, 1) for n in range(first, 61, 4)] for first in range(1, 5)
    ]
    results = together(*(lambda rows=rows: actions.store(rows) for rows in batches))
    assert [result.accepted for result in results] == [15] * 4
    with make.acting("admin", "globex"):
        hours = session().execute(select(HOURS.c.minutes).where(HOURS.c.indicator_id == mine))
        assert hours.all() == [(60,)]
