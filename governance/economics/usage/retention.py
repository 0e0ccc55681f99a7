"""Prove that days match their events, before the events are dropped.

prove(month)            compare the days of the acting tenant with its events, and store the outcome
prove_again()           the same for months that differed, after they are corrected
differing_rows(month)   the number of rows that differed when a month was last compared
"""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from governance.economics.usage import rebuilding
from governance.economics.usage.event_stores import store
from governance.economics.usage.models import PROOFS
from governance.economics.usage.rebuilding import DAY, Difference
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.monthly_partitions import first_instant
from governance.kernel.months import Month


def prove(month: Month) -> list[Difference]:
    """Return the rows that differ on the days that a month of UTC touches; empty proves it.

    The outcome is stored as the tenant's proof of the month.
    """
    lock_tenant("usage")
    found = rebuilding.differences(_days(month))
    proof = {"checked_at": clock.now(), "differing": len(found)}
    name = {"tenant_id": current.actor().tenant_id, "month": month.first_day}
    session().execute(
        insert(PROOFS)
        .values(name | proof)
        .on_conflict_do_update(index_elements=list(name), set_=proof)
    )
    return found


def prove_again() -> None:
    """Compare again each month that differed in its last comparison."""
    query = select(PROOFS.c.month).where(
        PROOFS.c.tenant_id == current.actor().tenant_id, PROOFS.c.differing > 0
    )
    for day in session().scalars(query).all():
        prove(Month.of(day))


def differing_rows(month: Month) -> int:
    """Return how many rows of a month differed when it was last compared; 0 if it never was."""
    query = select(PROOFS.c.differing).where(
        PROOFS.c.tenant_id == current.actor().tenant_id, PROOFS.c.month == month.first_day
    )
    return session().scalar(query) or 0


def _days(month: Month) -> Sequence[date]:
    """Return the days in the operator's time zone that overlap a month of UTC.

    If the month before is dropped, a day that began in it was proven with it and is left out.
    """
    zone = ZoneInfo(operator_time_zone())
    start = first_instant(month)
    end = first_instant(month.plus(1)) - timedelta(microseconds=1)
    first, last = (at.astimezone(zone).date() for at in (start, end))
    days = [first + n * DAY for n in range((last - first).days + 1)]
    begins_before = rebuilding.span_of(first, first, zone).start < start
    return days[1:] if begins_before and _is_dropped(month.plus(-1)) else days


def _is_dropped(month: Month) -> bool:
    mine = PROOFS.c.tenant_id == current.actor().tenant_id
    proven = session().scalar(select(PROOFS.c.month).where(mine, PROOFS.c.month == month.first_day))
    return proven is not None and month not in store().months()
