"""Decide whether tenants see the cost of their usage at list prices."""

from sqlalchemy import select

from governance.economics.tenant_costs import permissions, queries
from governance.economics.tenant_costs.models import ListPriceSettings
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.safety.access import require
from governance.kernel.work import jobs

SHARED = action(
    "list_prices.shared",
    "showed list prices to tenants",
    target="ListPriceSettings",
    activity="update",
    severity="medium",
)
HIDDEN = action(
    "list_prices.hidden",
    "hid list prices from tenants",
    target="ListPriceSettings",
    activity="update",
    severity="low",
)
WORK = "copy list prices"


def share(*, is_shared: bool) -> None:
    """Show list prices to every tenant, or hide them. Idempotent.

    The copies in tenants are updated within seconds.
    """
    require(permissions.SHARE)
    lock_tenant("list price settings")
    if queries.is_shared() == is_shared:
        return
    row = session().scalar(select(ListPriceSettings))
    if row is None:
        row = ListPriceSettings(is_shared=is_shared)
        session().add(row)
    row.is_shared = is_shared
    session().flush()
    record(SHARED if is_shared else HIDDEN, row)
    jobs.enqueue(WORK)
