"""Changes of a tenant's state: immediate, or through a request that a second operator decides."""

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.tenants import suspension_actions
from governance.foundation.tenants.models import Tenant
from governance.kernel.errors import Invalid
from governance.publishing.operator_desk import queries

SUSPENSION = "tenant_suspension"  # The kind of approval.


def suspend(tenant: Tenant, *, typed: str, reason: str) -> Approval | None:
    """Suspend now, or return the request if the tenant's tier requires two people."""
    suspension_actions.check_can_be_suspended(tenant)
    suspension_actions.check_state(tenant, "active")
    check_typed(tenant, typed)
    if queries.needs_second(tenant):
        return _request(tenant, f"suspend {tenant.name}", reason)
    suspension_actions.suspend(tenant, reason=check_reason(reason))
    return None


def resume(tenant: Tenant, *, reason: str) -> Approval | None:
    """Resume now, or return the request if the tenant's tier requires two people."""
    suspension_actions.check_state(tenant, "suspended")
    if queries.needs_second(tenant):
        return _request(tenant, f"resume {tenant.name}", reason)
    suspension_actions.resume(tenant, reason=check_reason(reason))
    return None


def _request(tenant: Tenant, summary: str, reason: str) -> Approval:
    return approvals.request(SUSPENSION, tenant.id, summary=summary, reason=reason)


def apply_request(tenant: Tenant, reason: str) -> None:
    """Switch the tenant to the other state, after a second operator's approval."""
    if tenant.status == "active":
        suspension_actions.suspend(tenant, reason=reason)
    else:
        suspension_actions.resume(tenant, reason=reason)


def check_typed(tenant: Tenant, typed: str) -> None:
    if " ".join(typed.split()).casefold() != " ".join(tenant.name.split()).casefold():
        raise Invalid(f"Type {tenant.name} exactly as shown.", field="typed")


def check_reason(reason: str) -> str:
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in both audit logs.", field="reason")
    return reason.strip()
