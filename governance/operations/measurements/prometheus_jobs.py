"""Pull from Prometheus every minute; test a source and backfill an indicator on request."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

import structlog

from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import DomainError, NotFound
from governance.kernel.work import background_work
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.operations.measurements import permissions, prometheus_pulling
from governance.operations.measurements import prometheus_queries as queries
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.prometheus_reading import ReadingPlan
from governance.operations.measurements.prometheus_response import PrometheusFault

MAX_CONCURRENT_TENANTS = 4  # A slow source of one tenant must not delay the others
log = structlog.get_logger("prometheus")

background_work.let_watch(queries.WORK, permissions.VIEW)


class BackfillFailed(DomainError):
    status = 422


def pull_all(*, side_by_side: int = MAX_CONCURRENT_TENANTS) -> None:
    """Pull for every tenant. Runs in the process that leads the schedule."""
    with transaction():
        every = [(t.id, t.slug, t.name) for t in directory.living_tenants()]
    with ThreadPoolExecutor(side_by_side, thread_name_prefix="prometheus") as pool:
        for tenant_id, slug, name in every:
            pool.submit(_pull_for, tenant_id, slug, name)


def _pull_for(tenant_id: UUID, slug: str, name: str) -> None:
    try:
        with current.acting_as(system_actor_in(tenant_id, slug, name)):
            prometheus_pulling.pull()
    except Exception:  # A fault of one tenant doesn't stop the others.
        log.exception("minutes not pulled", tenant=slug)


@work(queries.WORK)
def ask_prometheus(item: WorkItem, progress: Progress) -> None:
    """Do requested work: test the source item.target_id, or backfill that indicator."""
    if item.target_id is None:
        raise NotFound("The request names neither a source nor an indicator.")
    if item.params["what"] == "test":
        progress(0, 1, "Waiting for its answer")
        prometheus_pulling.test(item.target_id)
        return
    first = datetime.fromisoformat(item.params["since"])
    until = datetime.fromisoformat(item.params["until"])
    minutes = round((until - first).total_seconds() / 60)
    try:
        parts = prometheus_pulling.backfill(
            _plan(item.target_id), first, until, reason=item.params["reason"]
        )
        for end, _ in parts:
            read = round((end - first).total_seconds() / 60)
            progress(read, minutes, f"Read {read:,} of {minutes:,} minutes")
    except PrometheusFault as fault:
        raise BackfillFailed(f"{fault.message} The minutes read before that are stored.") from fault


def _plan(indicator_id: UUID) -> ReadingPlan:
    with transaction(read_only=True):
        indicator = measurements.indicator(indicator_id)
        query = queries.query_of(indicator_id)
        if query is None:
            raise NotFound("The indicator has no query.")
        return prometheus_pulling.plan_of(query, queries.source(query.source_id), indicator)
