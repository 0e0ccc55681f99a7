"""The history of a tenant's time zone: past months keep the zone in which they were counted.

zone_periods()      the acting tenant's zones in order of time; see kernel/months.py
note_time_zone()    called by the tenant's actions when the zone is set or changed
"""

from sqlalchemy import select

from governance.foundation.tenants.models import TenantTimeZone
from governance.kernel import clock
from governance.kernel.db import session
from governance.kernel.months import ZonePeriod


def zone_periods() -> list[ZonePeriod]:
    """Return the periods of the acting tenant's time zone, at least one; one statement."""
    rows = session().execute(
        select(TenantTimeZone.since, TenantTimeZone.zone).order_by(TenantTimeZone.since)
    )
    return [ZonePeriod(row.since, row.zone) for row in rows]


def note_time_zone(zone: str) -> None:
    """Begin a period with this zone at the present minute, in the acting tenant.

    Of two changes within one minute the later one counts.
    """
    since = clock.now().replace(second=0, microsecond=0)
    latest = session().scalars(
        select(TenantTimeZone).order_by(TenantTimeZone.since.desc()).limit(1)
    )
    period = latest.one_or_none()
    if period is not None and period.since == since:
        period.zone = zone
    elif period is None or period.zone != zone:
        session().add(TenantTimeZone(since=since, zone=zone))
