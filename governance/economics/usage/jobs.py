"""Scheduled jobs of usage.

Each hour they count completed tasks. Each night they create partitions ahead, forget the ids of old
events, and drop old months.
"""

import structlog

from governance.economics.usage import completed_tasks, partitions, retention, storing
from governance.economics.usage.event_stores import store
from governance.foundation.tenants.for_each_tenant import in_each, once_a_day_in_each
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.months import Month

MAX_NAMED = 10  # differences in a log entry
log = structlog.get_logger("usage")


def create_partitions() -> None:
    """Create the partitions of the coming months, so that no batch has to."""
    with transaction():
        partitions.EVENTS.create_ahead()


def forget_event_keys() -> None:
    """Forget the ids of events that are too old to be sent again."""
    once_a_day_in_each("forget usage event ids", _forget)


def _forget() -> None:
    """Remove uncounted events first: they are recognized by the ids of the others."""
    store().forget_uncounted()
    storing.forget_keys()


def count_tasks() -> None:
    """Count the completed tasks of each tenant's months whose usage changed."""
    in_each(_count_tasks, "tasks not counted", wanted=lambda tenant: tenant.kind == "customer")


def _count_tasks() -> None:
    with transaction(read_only=True):
        months = completed_tasks.months_to_count()
    for month in months:
        with transaction():
            completed_tasks.count(month)


def drop_old_events() -> None:
    """Drop each month past its retention, the oldest first, once every tenant has proven it.

    A month that differs from its days, or that a tenant can't prove, is kept with all later ones.
    """
    count_tasks()
    with transaction(read_only=True):
        first_kept = partitions.first_kept_month()
        old = [month for month in store().months() if month < first_kept]
    for month in old:
        if not _is_proven(month):
            log.error("usage events kept, since their days are not proven", month=str(month))
            return
        with transaction():
            store().drop_month(month)
        log.info("usage events dropped", month=str(month))


def _is_proven(month: Month) -> bool:
    """Return whether every tenant's days match the events of the month."""
    asked, proven = 0, 0

    def count(_tenant: object) -> bool:
        nonlocal asked
        asked += 1
        return True

    def prove() -> None:
        nonlocal proven
        with transaction():
            found = retention.prove(month)
        proven += not found
        if found:
            log.error(
                "usage days differ from their events",
                tenant=current.actor().tenant_slug,
                month=str(month),
                rows=len(found),
                first=[each.sentence for each in found[:MAX_NAMED]],
            )

    in_each(prove, "usage not proven", wanted=count, month=str(month))
    return proven == asked
