"""Jobs of measurements: future partitions, old months, old answers, and requested rebuilds."""

from itertools import batched

import structlog

from governance.foundation.tenants.for_each_tenant import in_each
from governance.kernel import clock
from governance.kernel.data.db import transaction
from governance.kernel.data.monthly_partitions import utc_month
from governance.kernel.intervals import Span
from governance.kernel.months import Month
from governance.operations.measurements import actions, partitions, queries, retention
from governance.operations.measurements.ports import minutes_needed_since

REBUILT_TOGETHER = 50  # Indicators per transaction
log = structlog.get_logger("measurements")


def create_partitions() -> None:
    """Create the partitions of coming months, so that no batch has to."""
    with transaction():
        partitions.MINUTES.create_ahead()


def drop_old_minutes() -> None:
    """Drop each month that is past its retention and that no tenant needs.

    If the check of one tenant fails, nothing is dropped that day.
    """
    needed: list[Month | None] = []
    asked = 0

    def ask() -> None:
        with transaction(read_only=True):
            needed.append(minutes_needed_since()())

    def count(_tenant: object) -> bool:
        nonlocal asked
        asked += 1
        return True

    in_each(ask, "minutes not dropped", wanted=count)
    with transaction(read_only=True):
        old = retention.to_drop(partitions.MINUTES.existing(), utc_month(clock.now()), needed)
    if len(needed) < asked:
        log.error("minutes kept, since a tenant could not be asked", months=len(old))
        return
    for month in old:
        with transaction():
            partitions.MINUTES.drop(month)
        log.info("minutes dropped", month=str(month))


def rebuild_all(span: Span) -> tuple[int, int]:
    """Recount the acting tenant's hours and days, some indicators per transaction.

    Returns how many rows differed, and how many indicators were counted.
    """
    with transaction(read_only=True):
        ids = [each.id for each in queries.every_indicator()]
    rows = 0
    for some in batched(ids, REBUILT_TOGETHER, strict=False):
        with transaction():
            rows += actions.rebuild(some, span)
    return rows, len(ids)
