"""The schedule: what runs by itself, and when (UTC). Each job claims its period, so two schedulers do it once."""

from collections.abc import Callable
from typing import Any

import structlog

from governance.kernel import clock, current
from governance.kernel.db import transaction
from governance.kernel.jobs import once_per
from governance.people import actions as people
from governance.reports import jobs as reports
from governance.tenants import actions as tenants
from governance.tenants import queries as directory

log = structlog.get_logger("schedule")


def sweep_sign_ins() -> None:
    """Nightly: forget sign-ins that nobody finished."""
    period = clock.today().isoformat()
    with transaction():
        every = [(t.id, t.slug, t.name) for t in directory.all_tenants()]
    for tenant_id, slug, name in every:
        try:
            with current.acting_as(tenants.founder(tenant_id, slug, name)), transaction():
                if once_per("sweep sign-ins", slug, period):
                    people.forget_old_sign_ins()
        except Exception:  # what is wrong with one tenant does not keep the others waiting
            log.exception("sweep failed", tenant=slug)


HANDLERS = (reports.make_report,)  # imported so that the jobs process knows every kind of work; mail is in kernel/outbox.py
JOBS: dict[str, tuple[Callable[[], None], dict[str, Any]]] = {
    "sweep sign-ins": (sweep_sign_ins, {"hour": 2, "minute": 17}),
}
