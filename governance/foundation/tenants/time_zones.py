"""The history of a tenant's time zone: past months keep the zone in which they were counted.

zone_periods()      the acting tenant's zones in order of time; see kernel/months.py

The tenant's actions begin a period when the zone is set or changed.
"""

from sqlalchemy import select

from governance.foundation.tenants.models import TenantTimeZone
from governance.kernel.data.db import session
from governance.kernel.months import ZonePeriod


def zone_periods() -> list[ZonePeriod]:
    """Return the periods of the acting tenant's time zone, at least one; one statement."""
    rows = session().execute(
        select(TenantTimeZone.since, TenantTimeZone.zone).order_by(TenantTimeZone.since)
    )
    return [ZonePeriod(row.since, row.zone) for row in rows]
