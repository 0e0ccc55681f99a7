"""Brings scheduled versions into force at their time, once: as queued work, and hourly for whatever
that has missed.
"""

from uuid import UUID

import structlog

from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.kernel import current
from governance.kernel.db import transaction
from governance.kernel.jobs import Progress, WorkItem, work
from governance.operations.policies import actions

log = structlog.get_logger("policies")


@work(actions.WORK)
def apply_scheduled(item: WorkItem, progress: Progress) -> None:
    """The work was queued for the time at which the version is due.

    It is the console's deed, not that of who scheduled it.
    """
    who = progress.actor
    apply_due(item.tenant_id, who.tenant_slug, who.tenant_name)


def apply_due(tenant_id: UUID, slug: str, name: str) -> bool:
    """What is due in one tenant; under its lock, so that two processes do it once."""
    with current.acting_as(tenants.founder(tenant_id, slug, name)), transaction():
        return actions.apply_due()


def apply_due_everywhere() -> None:
    """Hourly, over all tenants: what is wrong with one does not keep the others waiting."""
    with transaction():
        every = [(t.id, t.slug, t.name) for t in directory.all_tenants()]
    for tenant_id, slug, name in every:
        try:
            apply_due(tenant_id, slug, name)
        except Exception:  # logged, and tried again in an hour
            log.exception("scheduled policy not applied", tenant=slug)
