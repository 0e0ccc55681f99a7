"""The hourly jobs that close due months, revise late changes, and expire claims.

A month is due on the agreed day in the tenant's time zone. A close that failed is retried in the
next hour.
"""

from datetime import datetime

from governance.foundation.tenants.for_each_tenant import in_each, is_active, once_a_day_in_each
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock
from governance.kernel.data.db import transaction
from governance.kernel.months import close_instant, month_of, month_span
from governance.kernel.work import background_work
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.operations.agreements import queries as agreements
from governance.operations.agreements.models import TO_TENANT
from governance.publishing.statements import actions, claim_actions, month_close, queries

MONTHS_BACK = 3  # Months that a jobs process catches up on. Earlier ones are closed by hand.


def close_due_months() -> None:
    """Close the due months of each customer tenant."""
    in_each(_close_here, "month close failed", wanted=_is_customer)


def _is_customer(tenant: Tenant) -> bool:
    return is_active(tenant) and tenant.kind == "customer"


def _close_here() -> None:
    with transaction():
        start_due(clock.now())
    with transaction():
        for each in queries.due_here():
            actions.request_revision(each)


def start_due(now: datetime) -> int:
    """Start the close of each due month of the acting tenant. Return how many."""
    zones = zone_periods()
    started = 0
    this = month_of(zones, now)
    for back in range(1, MONTHS_BACK + 1):
        month = this.plus(-back)
        due = agreements.in_force_during(month_span(zones, month), TO_TENANT)
        there = queries.months_with_statement([each.id for each, _ in due])
        for agreement, parts in due:
            close_day = parts[-1][1].close_day
            is_due = now >= close_instant(zones, month, close_day)
            if is_due and (agreement.id, str(month)) not in there:
                started += actions.start_close(agreement, month) is not None
    return started


@work(actions.CLOSING.name)
def close_month(item: WorkItem, progress: Progress) -> None:
    """Close the month of one Statement (item.target_id)."""
    month_close.close(item, progress)


def remove_unreferenced_files() -> None:
    """Remove files that a killed process has stored and no revision names. Runs nightly."""
    once_a_day_in_each("statement files", lambda: background_work.sweep(actions.CLOSING))


def expire_claims() -> None:
    """Expire claims that weren't sent before their deadline.

    Runs daily, in the operator's tenant.
    """
    once_a_day_in_each("expire claims", claim_actions.expire_overdue)
