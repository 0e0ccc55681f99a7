"""Run system work in one tenant after the other; an error in one doesn't stop the others."""

from collections.abc import Callable
from functools import partial

import structlog

from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import living_tenants
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.kernel.work.jobs import once_per

log = structlog.get_logger("schedule")


def in_each(
    act: Callable[[], object],
    or_say: str,
    *,
    wanted: Callable[[Tenant], bool] = lambda _tenant: True,
    **facts: str,
) -> None:
    """Call `act` as Meridian in each wanted tenant; it opens its own transactions.

    Errors are logged under that name.
    """
    with transaction():
        every = [system_actor_in(t.id, t.slug, t.name) for t in living_tenants() if wanted(t)]
    for who in every:
        try:
            with current.acting_as(who):
                act()
        except Exception:  # The next round may do better, for any error.
            log.exception(or_say, tenant=who.tenant_slug, **facts)


def is_active(tenant: Tenant) -> bool:
    return tenant.status == "active"


def once_a_day_in_each(job: str, act: Callable[[], object], *, in_steps: bool = False) -> None:
    """Call `act` once a day and tenant, each in a transaction of its own.

    With `in_steps` it opens its transactions itself.
    """
    in_each(partial(_once_a_day, job, act, in_steps=in_steps), "nightly job failed", job=job)


def _once_a_day(job: str, act: Callable[[], object], *, in_steps: bool) -> None:
    with transaction():
        claimed = once_per(job, current.actor().tenant_slug, clock.today().isoformat())
        if claimed and not in_steps:
            act()
    if claimed and in_steps:
        act()
