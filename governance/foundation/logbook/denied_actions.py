"""Count what is denied to someone, and record it once the hour is over.

One entry for each person or key, route and hour. In one hour a tenant has at most MAX_ROWS rows;
what is denied beyond is counted together.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.logbook.models import DeniedAct
from governance.foundation.tenants.for_each_tenant import in_each
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.data.ids import uuid7

DENIED = action(
    "access.denied",
    "denied access",
    target="Tenant",
    activity="read",
    severity="medium",
    fields="kind who route hour count",
)
MAX_ROWS = 200  # Per tenant and hour.
OTHERS = "others"


def count(tenant_id: UUID, kind: str, who: str, route: str) -> None:
    """Count one denied act of the current hour, in the current transaction."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    same = (DeniedAct.hour == hour, DeniedAct.kind == kind)
    is_known = session().scalar(
        select(DeniedAct.id).where(*same, DeniedAct.who == who, DeniedAct.route == route)
    )
    if is_known is None and _is_full(hour):
        who = route = OTHERS
    row = insert(DeniedAct).values(
        tenant_id=tenant_id,
        id=uuid7(),
        created_at=clock.now(),
        hour=hour,
        kind=kind,
        who=who,
        route=route,
        count=1,
    )
    session().execute(
        row.on_conflict_do_update(
            index_elements=["tenant_id", "hour", "kind", "who", "route"],
            set_={"count": DeniedAct.count + 1},
        )
    )


def _is_full(hour: datetime) -> bool:
    query = select(func.count()).select_from(DeniedAct).where(DeniedAct.hour == hour)
    return (session().scalar(query) or 0) >= MAX_ROWS


# ---- into the log


def record_denied_hourly() -> None:
    """Turn the rows of hours that are over into entries, in every tenant. Runs each hour."""
    in_each(record_denied, "denied acts not recorded")


def record_denied() -> None:
    """Record the acting tenant's denied acts of hours that are over, and remove their rows."""
    with transaction():
        over = DeniedAct.hour <= clock.now() - timedelta(hours=1)
        rows = session().scalars(select(DeniedAct).where(over).with_for_update()).all()
        tenant = session().get_one(Tenant, current.actor().tenant_id)
        for row in rows:
            record(
                DENIED,
                tenant,
                outcome="denied",
                kind=row.kind,
                who=row.who,
                route=row.route,
                hour=row.hour,
                count=row.count,
            )
            session().delete(row)
