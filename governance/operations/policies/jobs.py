"""Publish scheduled versions at their time, once.

It is queued work, with an hourly check for missed versions.
"""

from uuid import UUID

import structlog

from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.operations.policies import actions

log = structlog.get_logger("policies")


@work(actions.WORK)
def apply_scheduled(item: WorkItem, progress: Progress) -> None:
    """Publish the due version, as Meridian, not as the person who scheduled it."""
    who = progress.actor
    apply_due(item.tenant_id, who.tenant_slug, who.tenant_name)


def apply_due(tenant_id: UUID, slug: str, name: str) -> bool:
    """Publish the due version of one tenant, under its lock so that two processes do it once."""
    with current.acting_as(system_actor_in(tenant_id, slug, name)), transaction():
        return actions.apply_due()


def apply_due_everywhere() -> None:
    """Publish due versions in every tenant. A failure in one doesn't block the others."""
    with transaction():
        every = [(t.id, t.slug, t.name) for t in directory.living_tenants()]
    for tenant_id, slug, name in every:
        try:
            apply_due(tenant_id, slug, name)
        except Exception:  # Logged, and tried again in an hour.
            log.exception("scheduled policy not published", tenant=slug)
