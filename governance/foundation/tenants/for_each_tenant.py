"""The console at work in one tenant after the other; what is wrong with one does not keep the others waiting."""

from collections.abc import Callable

import structlog

from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import all_tenants
from governance.foundation.tenants.system_actor import founder
from governance.kernel import current
from governance.kernel.db import transaction

log = structlog.get_logger("schedule")


def in_each(
    act: Callable[[], object], or_say: str, *, wanted: Callable[[Tenant], bool] = lambda _tenant: True, **facts: str
) -> None:
    """Call `act` as the console in each wanted tenant; it opens its own transactions. What fails is logged by that name."""
    with transaction():
        every = [founder(t.id, t.slug, t.name) for t in all_tenants() if wanted(t)]
    for who in every:
        try:
            with current.acting_as(who):
                act()
        except Exception:  # whatever it is, the next round may do better
            log.exception(or_say, tenant=who.tenant_slug, **facts)


def is_active(tenant: Tenant) -> bool:
    return tenant.status == "active"
