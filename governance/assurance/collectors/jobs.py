"""Jobs that run the collectors, hourly in each tenant, once per period.

collect_due()              queues due runs in all tenants
collect_due_of(who)        in one tenant; also queues missed periods, up to a year back
collect(item, progress)    runs one collector, as work that can be watched and canceled
"""

from datetime import date, timedelta

from governance.assurance.collectors import actions, permissions, queries
from governance.foundation.populations.collector import Collector, every_collector
from governance.foundation.populations.periods import Period, closed_periods, previous_period
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.safety import access
from governance.kernel.work.background_work import target_of
from governance.kernel.work.jobs import Progress, WorkItem, once_per, work

MAX_CATCH_UP = timedelta(days=366)


def collect_due() -> None:
    in_each(lambda: collect_due_of(current.actor()), "collectors not scheduled", wanted=is_active)


def collect_due_of(who: Actor, *, since: date | None = None) -> int:
    """Queue each closed period that has no run yet, back to `since` or a year. Return the number."""
    with current.acting_as(who), transaction():
        tenant = directory.tenant_by_id(who.tenant_id)
        today = clock.today()
        since = max(tenant.created_at.date() if tenant else today, since or today - MAX_CATCH_UP)
        there = queries.known_periods()
        due = [
            (found, period)
            for found in every_collector().values()
            for period in closed_periods(found.schedule, since, today)
            if (found.key, period.name) not in there
        ]
        return sum(
            _claimed(who, found, period)
            for found, period in sorted(due, key=lambda pair: pair[1].last)
        )


def _claimed(who: Actor, found: Collector, period: Period) -> bool:
    if not once_per(f"collect {found.key}", who.tenant_slug, period.name):
        return False
    if found.catches_up or period == previous_period(found.schedule, clock.today()):
        actions.request_run(found, period, scheduled=True)
    else:
        actions.record_missed(found, period)
    return True


@work(actions.RUNS.name)
def collect(item: WorkItem, progress: Progress) -> None:
    """Run one CollectorRun (item.target_id).

    A run that was killed starts again, because nothing was stored.
    """
    run_id = target_of(actions.RUNS, item)
    access.require(permissions.RUN)
    progress(0, 2, "Running the query")
    with transaction(read_only=True, snapshot=True):
        run = queries.run_of(run_id).row
        if run.is_ready:
            return
        found, period = (
            queries.find_collector(run.key),
            Period(run.period, run.period_from, run.period_to),
        )
        collected = found.collect(period)
    progress(1, 2, f"Storing {collected.population.row_count:,} rows")
    with transaction():
        actions.file_evidence(queries.run_of(run_id, lock=True).row, found, collected)
