"""Where the data of indicators begins, and the tenant's time zones: one statement for both.

A window that reaches back before the first minute of an indicator is not full yet: the time before
is no gap, since nothing was measured then.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import String, Uuid, cast, func, null, select, true, union_all

from governance.foundation.tenants.models import TenantTimeZone
from governance.kernel import current
from governance.kernel.db import session
from governance.kernel.months import ZonePeriod
from governance.operations.measurements.models import DAYS, MINUTES, Indicator


@dataclass(frozen=True, slots=True)
class Horizons:
    """`first` minute by indicator (absent: no data at all), and the tenant's `zones`."""

    first: dict[UUID, datetime]
    zones: Sequence[ZonePeriod]


def horizons(indicator_ids: Collection[UUID]) -> Horizons:
    """Read the first minutes of these indicators and the tenant's time zones."""
    tenant_id = current.actor().tenant_id
    day = (
        select(DAYS.c.at)
        .where(DAYS.c.tenant_id == tenant_id, DAYS.c.indicator_id == Indicator.id)
        .order_by(DAYS.c.at)
        .limit(1)
        .lateral("day")
    )
    minute = (
        select(MINUTES.c.at)
        .where(
            MINUTES.c.tenant_id == tenant_id,
            MINUTES.c.indicator_id == Indicator.id,
            MINUTES.c.at >= day.c.at,
            MINUTES.c.at < day.c.at + timedelta(days=1),
        )
        .order_by(MINUTES.c.at)
        .limit(1)
        .lateral("minute")
    )
    first = func.coalesce(minute.c.at, day.c.at)  # minutes may be gone, days stay
    beginnings = (
        select(Indicator.id, first, cast(null(), String))
        .join_from(Indicator, day, true())
        .outerjoin(minute, true())
        .where(Indicator.id.in_(indicator_ids), Indicator.tenant_id == tenant_id)
    )
    zones = select(cast(null(), Uuid), TenantTimeZone.since, TenantTimeZone.zone).where(
        TenantTimeZone.tenant_id == tenant_id
    )
    rows = session().execute(union_all(beginnings, zones)).all()
    return Horizons(
        {row[0]: row[1] for row in rows if row[0] is not None},
        sorted(ZonePeriod(row[1], row[2]) for row in rows if row[0] is None),
    )
