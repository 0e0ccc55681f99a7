"""Actions that request, delay and cancel the deletion of a tenant.

Both audit logs record each step.
"""

from datetime import timedelta

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import queries as people
from governance.foundation.privacy.legal_hold_actions import UnderLegalHold
from governance.foundation.privacy.queries import all_active_holds
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import tenant_by_id
from governance.foundation.tenants.suspension_actions import check_state
from governance.foundation.tenants.system_actor import system_actor_in, visiting
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session, within
from governance.kernel.errors import DomainError, Invalid, NotFound, Stale
from governance.kernel.formatting import long_day
from governance.kernel.work import outbox
from governance.publishing.operator_desk.actions import check_reason, check_typed
from governance.publishing.tenant_exports import queries as exports
from governance.publishing.tenant_offboarding import queries
from governance.publishing.tenant_offboarding.models import TenantOffboarding
from governance.publishing.tenant_offboarding.waiting import waiting_days

KIND = "tenant_offboarding"  # The kind of approval. The database's function reads it too.
REQUESTED = action(
    "tenant.offboarding.requested",
    "requested the deletion of the tenant",
    target="TenantOffboarding",
    activity="create",
    severity="high",
    fields="tenant export waiting_days",
)
APPROVED = action(
    "tenant.offboarding.approved",
    "approved the deletion of the tenant",
    target="TenantOffboarding",
    activity="update",
    severity="high",
    fields="tenant due",
    shape="stop",
)
CLOSED = action(
    "tenant.offboarding.closed",
    "closed a request to delete the tenant",
    target="TenantOffboarding",
    activity="update",
    severity="medium",
    fields="tenant how",
)
CANCELLED = action(
    "tenant.offboarding.cancelled",
    "cancelled the deletion of the tenant",
    target="TenantOffboarding",
    activity="update",
    severity="high",
    fields="tenant",
    shape="ok",
)
HELD = "A legal hold of {name} is active. Nothing can be deleted until it is released there."


def request(
    tenant: Tenant, *, typed: str, reason: str, without_export: bool = False
) -> tuple[TenantOffboarding, Approval]:
    """Ask a second operator to approve.

    The tenant must be suspended, and exported unless waived.
    """
    if tenant.kind == "operator":
        raise Invalid("The operator's own tenant can't be deleted.")
    check_state(tenant, "suspended")
    check_typed(tenant, typed)
    reason = check_reason(reason)
    with within(system_actor_in(tenant.id, tenant.slug, tenant.name)):
        check_no_hold(tenant.name)
        export = _export(without_export=without_export)
    made = TenantOffboarding(
        customer_id=tenant.id,
        slug=tenant.slug,
        name=tenant.name,
        reason=reason,
        waiting_days=waiting_days(),
        export=export,
        requested_by=current.person_id(),
    )
    last = queries.newest(tenant.id)
    if last is not None and last.state == "requested":
        if not approvals.close_expired(KIND, last.id):
            raise Stale(f"The deletion of {tenant.name} was already requested.")
        session().flush()
    session().add(made)
    session().flush()
    asked = approvals.request(KIND, made.id, summary=f"delete {tenant.name}", reason=reason)
    with within(visiting(current.actor(), tenant)):
        record(REQUESTED, made, tenant=tenant.slug, export=export, reason=reason)
    return made, asked


def check_no_hold(name: str) -> None:
    """Raise UnderLegalHold if a hold applies, in the tenant."""
    if all_active_holds():
        raise UnderLegalHold(HELD.format(name=name))


def _export(*, without_export: bool) -> str:
    """Return the outcome of the export, in the tenant."""
    runs = exports.newest()
    if any(not each.is_over for each in runs):
        raise DomainError("An export is being generated. Wait until it is ready, then try again.")
    ready = next((each.row for each in runs if each.row.is_ready), None)
    if ready is not None:
        return f"archive {ready.sha256}"
    if not without_export:
        raise Invalid(
            "There is no export of everything yet. Start one first, or confirm that the tenant"
            " doesn't want one.",
            field="without_export",
        )
    return "none"


def tenant_of(row: TenantOffboarding) -> Tenant:
    found = tenant_by_id(row.customer_id)
    if found is None:
        raise NotFound("This tenant doesn't exist.")
    return found


def why_blocked(row: TenantOffboarding) -> str | None:
    """Return why it can't be approved or carried out now."""
    tenant = tenant_of(row)
    if tenant.status not in {"suspended", "offboarding"}:
        return f"{tenant.name} is {tenant.status}. Suspend it first."
    with within(system_actor_in(tenant.id, tenant.slug, tenant.name)):
        if all_active_holds():
            return HELD.format(name=tenant.name)
        if any(not each.is_over for each in exports.newest()):
            return "An export is being generated. Wait until it is ready, then try again."
    return None


def begin_waiting(approval: Approval) -> None:
    """Start the waiting period after a second operator's approval. Notify the tenant's admins."""
    row = queries.offboarding(approval.target_id, lock=True)
    tenant = tenant_of(row)
    check_state(tenant, "suspended")
    row.state, row.approved_by, row.approved_at = "waiting", current.person_id(), clock.now()
    row.due_at = row.approved_at + timedelta(days=row.waiting_days)
    tenant.status, tenant.deletes_at = "offboarding", row.due_at
    due = row.due_at.isoformat()
    with within(visiting(current.actor(), tenant)):
        record(APPROVED, row, tenant=tenant.slug, due=due, reason=row.reason)
        tenant_revision.advance()
        _tell_admins(
            f"{tenant.name} will be deleted on {long_day(row.due_at)}",
            f"Two operators of Meridian decided to delete {tenant.name} with all of its data on"
            f" {long_day(row.due_at)}. Reason: {row.reason}\n\nNothing is deleted before then."
            " If you still need it, ask the operator to cancel the deletion and let you export"
            " everything.\n",
        )
    record(APPROVED, row, tenant=tenant.slug, due=due, reason=row.reason)


def close_request(approval: Approval) -> None:
    """Close a request that nobody approved. Nothing is deleted."""
    row = queries.offboarding(approval.target_id, lock=True)
    row.state = "cancelled"
    tenant = tenant_of(row)
    with within(visiting(current.actor(), tenant)):
        record(CLOSED, row, tenant=tenant.slug, how=approval.state)


def cancel(row: TenantOffboarding, *, reason: str) -> None:
    """Cancel the deletion.

    One operator is enough: the tenant is only suspended again, as before.
    """
    row = queries.offboarding(row.id, lock=True)
    if row.state != "waiting":
        raise Stale("The deletion can't be cancelled any more.")
    reason, tenant = check_reason(reason), tenant_of(row)
    check_state(tenant, "offboarding")
    row.state, tenant.status, tenant.deletes_at = "cancelled", "suspended", None
    with within(visiting(current.actor(), tenant)):
        record(CANCELLED, row, tenant=tenant.slug, reason=reason)
        tenant_revision.advance()
        _tell_admins(
            f"{tenant.name} will not be deleted",
            f"An operator of Meridian cancelled the deletion of {tenant.name}. It is still"
            " suspended, and nothing was deleted.\n",
        )
    record(CANCELLED, row, tenant=tenant.slug, reason=reason)


def _tell_admins(subject: str, body: str) -> None:
    for member in people.members():
        if member.role == "admin":
            outbox.send_mail(member.email, subject, body)
