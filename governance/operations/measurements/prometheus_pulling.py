"""Pull the due minutes, and store the result of each source and query.

No request is sent inside a transaction: a plan is read in one, Prometheus answers outside of any,
and the minutes are stored in another, together with their end. So a killed pull repeats the
requests for minutes that it hadn't stored.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.kernel import clock
from governance.kernel.data.db import session, transaction
from governance.operations.measurements import actions, prometheus_schedule
from governance.operations.measurements import prometheus_actions as prometheus
from governance.operations.measurements import prometheus_client as client
from governance.operations.measurements import prometheus_queries as queries
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.prometheus_increments import MinuteReading
from governance.operations.measurements.prometheus_models import (
    PrometheusQuery,
    PrometheusSource,
)
from governance.operations.measurements.prometheus_reading import ReadingPlan, read
from governance.operations.measurements.prometheus_response import PrometheusFault

MAX_QUERIES = 500  # Queries per round
MAX_ROUND = timedelta(seconds=40)  # Then the next minute's round continues
_random = random.SystemRandom()


def pull() -> int:
    """Pull the acting tenant's due minutes. Return how many queries ran."""
    until, asked = clock.now() + MAX_ROUND, 0
    failed: set[UUID] = set()
    for plan, first, end in _due():
        if clock.now() >= until:
            break
        if plan.source_id not in failed:
            asked += 1
            if not pull_one(plan, first, end):
                failed.add(plan.source_id)
    return asked


def _due() -> list[tuple[ReadingPlan, datetime, datetime]]:
    now = clock.now()
    with transaction(read_only=True):
        rows = queries.due(now, limit=MAX_QUERIES)
        windows = [prometheus_schedule.due(query.pulled_until, now) for query, _, _ in rows]
        return [
            (plan_of(*row), *window)
            for row, window in zip(rows, windows, strict=True)
            if window is not None
        ]


def plan_of(query: PrometheusQuery, source: PrometheusSource, indicator: Indicator) -> ReadingPlan:
    """Return the data that reading needs outside of the transaction."""
    return ReadingPlan(
        query_id=query.id,
        source_id=source.id,
        indicator_id=indicator.id,
        revision=query.revision,
        address=prometheus.address_of(source),
        kind=query.kind,
        good=query.good,
        total=query.total,
        bucket=query.bucket,
        good_is_above=indicator.good_side == "more_than",
    )


def pull_one(plan: ReadingPlan, first: datetime, until: datetime) -> bool:
    """Read and store the minutes of one query. Return False if its source failed."""
    try:
        for start, end, reading in read(plan, first, until):
            with transaction():
                if not _keep(plan, start, end, reading):
                    return True
    except PrometheusFault as fault:
        with transaction():
            _note_fault(plan, fault)
        return fault.of_query
    return True


def backfill(
    plan: ReadingPlan, first: datetime, until: datetime, *, reason: str
) -> Iterator[tuple[datetime, int]]:
    """Read and store minutes with a reason. After each part, yield its end and its minutes.

    Raises PrometheusFault if the source or the query fails. Earlier parts are stored.
    """
    for start, end, reading in read(plan, first, until):
        rows = reading.rows(start, end)
        with transaction():
            actions.store(
                ((plan.indicator_id, at, *count) for at, count in rows), backfill_reason=reason
            )
        yield end, len(rows)


def _keep(plan: ReadingPlan, first: datetime, until: datetime, reading: MinuteReading) -> bool:
    """Store a part. Return False if somebody changed the query or its source meanwhile."""
    found = _locked(plan)
    if found is None:
        return False
    query, source = found
    rows = reading.rows(first, until)
    actions.store((plan.indicator_id, at, *count) for at, count in rows)
    query.pulled_until = max(until, query.pulled_until or until)
    query.state, query.finding, query.failures, query.next_try_at = "working", "", 0, None
    query.unknown = reading.reasons(first, until)
    note_success(source)
    return True


def _locked(plan: ReadingPlan) -> tuple[PrometheusQuery, PrometheusSource] | None:
    """Return the query and its source, or None if they changed since the plan was read."""
    source = (
        session()
        .scalars(
            select(PrometheusSource).where(PrometheusSource.id == plan.source_id).with_for_update()
        )
        .one()
    )
    query = (
        session()
        .scalars(
            select(PrometheusQuery).where(PrometheusQuery.id == plan.query_id).with_for_update()
        )
        .one()
    )
    if query.revision != plan.revision or source.removed_at is not None:
        return None
    return query, source


def _note_fault(plan: ReadingPlan, fault: PrometheusFault) -> None:
    found = _locked(plan)
    if found is None:
        return
    query, source = found
    if fault.of_query:
        query.state, query.finding = "failing", fault.message
        query.failures += 1
        query.next_try_at = clock.now() + _wait(query.failures)
        note_success(source)
    else:
        note_failure(source, fault)


def note_success(source: PrometheusSource) -> None:
    """Record that the source answered, in the caller's transaction. Audit a new status."""
    source.tried_at = source.succeeded_at = clock.now()
    source.failures, source.next_try_at = 0, None
    _turn(source, "working", "")


def note_failure(source: PrometheusSource, fault: PrometheusFault) -> None:
    """Record why the source failed, and the time of the next try."""
    source.tried_at = clock.now()
    source.failures += 1
    source.next_try_at = clock.now() + _wait(source.failures)
    _turn(source, "failing", fault.message)


def _turn(source: PrometheusSource, state: str, finding: str) -> None:
    is_new = source.state != state
    source.state, source.finding = state, finding
    if is_new:
        record(
            prometheus.STATE_CHANGED,
            source,
            name=source.name,
            state=state,
            finding=finding or None,
        )


def _wait(failures: int) -> timedelta:
    return prometheus_schedule.wait(failures, _random.random())


def test(source_id: UUID) -> str:
    """Test a source, record the test, and return its problem, if any."""
    with transaction(read_only=True):
        address = prometheus.address_of(queries.source(source_id))
    try:
        client.check(address)
        fault = None
    except PrometheusFault as found:
        fault = found
    with transaction():
        source = queries.source(source_id, lock=True)
        if fault is None:
            note_success(source)
        else:
            note_failure(source, fault)
        record(
            prometheus.SOURCE_TESTED,
            source,
            name=source.name,
            state=source.state,
            finding=source.finding or None,
        )
    return fault.message if fault else ""
