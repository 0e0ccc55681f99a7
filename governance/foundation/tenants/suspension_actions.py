"""Suspend a tenant, and resume it. Both are in its own log and in the operator's.

A suspended tenant keeps everything. Its people are signed out and see why, its keys are rejected,
and its products get the safe values that docs/operating/tenants.md describes.
"""

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.events import SuspensionBegan
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import visiting
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session, within
from governance.kernel.errors import Invalid, Stale
from governance.kernel.work.events import publish

SUSPENDED = action(
    "tenant.suspended",
    "suspended the tenant",
    target="Tenant",
    activity="update",
    severity="high",
    event_class="entity_management",
    fields="slug",
    shape="stop",
)
RESUMED = action(
    "tenant.resumed",
    "resumed the tenant",
    target="Tenant",
    activity="update",
    severity="medium",
    event_class="entity_management",
    fields="slug",
    shape="ok",
)


def suspend(tenant: Tenant, *, reason: str) -> None:
    """Suspend a tenant now: sessions end in the same transaction."""
    check_can_be_suspended(tenant)
    check_state(tenant, "active")
    # In the operator's transaction: the database lets no tenant change its own status.
    tenant.status, tenant.suspended_at = "suspended", clock.now()
    with within(visiting(current.actor(), tenant)):
        record(SUSPENDED, tenant, slug=tenant.slug, reason=reason)
        publish(SuspensionBegan())
        tenant_revision.advance()
    record(SUSPENDED, tenant, slug=tenant.slug, reason=reason)


def resume(tenant: Tenant, *, reason: str) -> None:
    """Resume a tenant: people can sign in again; keys and decisions work as before."""
    check_state(tenant, "suspended")
    tenant.status, tenant.suspended_at = "active", None
    with within(visiting(current.actor(), tenant)):
        record(RESUMED, tenant, slug=tenant.slug, reason=reason)
        tenant_revision.advance()
    record(RESUMED, tenant, slug=tenant.slug, reason=reason)


def check_can_be_suspended(tenant: Tenant) -> None:
    if tenant.kind == "operator":
        raise Invalid("The operator's own tenant can't be suspended.")


def check_state(tenant: Tenant, state: str) -> None:
    """Lock the row and raise Stale unless the tenant is in that state."""
    session().refresh(tenant, with_for_update=True)
    if tenant.status != state:
        raise Stale(f"{tenant.name} is {tenant.status} now. Nothing was changed.")
