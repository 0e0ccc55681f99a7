"""Meridian itself, and an operator, acting inside a tenant.

Both have these names in the tenant's own log.
"""

from dataclasses import replace
from uuid import UUID

from governance.foundation.tenants.models import Tenant
from governance.kernel.current import Actor


def system_actor_in(tenant_id: UUID, slug: str, name: str) -> Actor:
    """Return Meridian as the actor in a tenant: creation, schedules, the demo's set-up."""
    return Actor(tenant_id, slug, name, None, "Meridian", "admin", kind="job")


def visiting(who: Actor, tenant: Tenant) -> Actor:
    """Return an operator at work in a tenant that has no admin yet."""
    return replace(
        who,
        tenant_id=tenant.id,
        tenant_slug=tenant.slug,
        tenant_name=tenant.name,
        role="admin",
        kind="operator",
        session_id=None,
    )
