"""Recount the days of the acting tenant from its events."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance.economics.usage import rebuilding, retention
from governance.economics.usage.event_stores import store
from governance.economics.usage.rebuilding import Difference
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.models import Tenant
from governance.kernel import current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.months import Month

REBUILT = action(
    "usage.days.corrected",
    "rebuilt days of usage, which differed from their events",
    target="Tenant",
    activity="update",
    severity="medium",
    fields="rows first last",
)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The result of a recount: corrected differences, and counts of recounted and dropped days."""

    differences: Sequence[Difference]
    counted: int
    dropped: int


def rebuild(month: Month | None = None) -> Rebuilt:
    """Recount a month in the operator's time zone, by default every month that has its events.

    Days whose events are dropped keep their counts.
    """
    lock_tenant("usage")
    store().forget_uncounted()
    months = rebuilding.countable_months() if month is None else [month]
    days = [day for each in months for day in rebuilding.countable_days(each)]
    found = rebuilding.differences(days)
    rebuilding.correct(days)
    if found:
        retention.prove_again()
        tenant = session().get_one(Tenant, current.actor().tenant_id)
        record(REBUILT, tenant, rows=len(found), first=found[0].day, last=found[-1].day)
    return Rebuilt(found, len(days), sum(each.last_day.day for each in months) - len(days))
