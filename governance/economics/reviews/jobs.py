"""Jobs that close months on their day, and note inputs that changed after a close."""

from datetime import datetime

from governance.economics.reviews import queries
from governance.economics.reviews.closing import actions as close_actions
from governance.economics.reviews.closing import work as closing
from governance.economics.reviews.inputs import reading as input_reading
from governance.foundation.tenants.for_each_tenant import in_each, is_active, once_a_day_in_each
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock
from governance.kernel.data.db import transaction
from governance.kernel.months import close_instant, month_of
from governance.kernel.work.jobs import Progress, WorkItem, work

MONTHS_BACK = 3  # closed automatically, at most; earlier ones are closed by a person
WATCHED = 13  # newest months whose inputs are compared with their figures


def close_due_months() -> None:
    """Start due closes in the operator's tenant. Runs hourly."""
    in_each(_close_here, "month close failed", wanted=_is_operator)


def _is_operator(tenant: Tenant) -> bool:
    return is_active(tenant) and tenant.kind == "operator"


def _close_here() -> None:
    with transaction():
        start_due(clock.now())


def start_due(now: datetime) -> int:
    """Start the close of each due month that has usage, bills or invoices; return how many."""
    zones, day = zone_periods(), queries.settings().close_day
    this = month_of(zones, now)
    started = 0
    for back in range(1, MONTHS_BACK + 1):
        month = this.plus(-back)
        if now >= close_instant(zones, month, day) and input_reading.has_money(month):
            started += close_actions.start_close(month) is not None
    return started


@work(close_actions.CLOSING.name)
def close_month(item: WorkItem, progress: Progress) -> None:
    """Run the close of a review (item.target_id)."""
    closing.close(item, progress)


def note_late_inputs() -> None:
    """Store which closed months have inputs that changed since. Runs nightly."""
    once_a_day_in_each("late inputs", _note_late, in_steps=True)


def _note_late() -> None:
    with transaction(read_only=True):
        months = [each.its_month for each in queries.reviewed_months()[:WATCHED] if each.is_closed]
    for month in months:
        with transaction(snapshot=True):
            found = queries.review(month)
            now = input_reading.digests(month)
            changed = closing.changed_inputs(found.facts, now)
            close_actions.note_late(found.review, changed)
