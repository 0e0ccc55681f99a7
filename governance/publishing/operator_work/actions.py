"""Retry or cancel a tenant's background work, with a reason, in both logs."""

from uuid import UUID

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import Action, action
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import visiting
from governance.kernel import current
from governance.kernel.data.db import within
from governance.kernel.errors import Invalid
from governance.kernel.work import background_work, jobs
from governance.kernel.work.jobs import WorkItem
from governance.publishing.operator_work import queries

RETRIED = action(
    "work.retried",
    "retried background work",
    target="Tenant",
    activity="update",
    severity="low",
    fields="kind tenant work",
)
CANCELLED = action(
    "work.cancelled",
    "cancelled background work",
    target="Tenant",
    activity="delete",
    severity="medium",
    fields="kind tenant work",
)


def retry(item_id: UUID, *, reason: str) -> None:
    """Queue failed work again, on behalf of the person who requested it."""
    tenant = queries.tenant_of_work(item_id)
    with within(visiting(current.actor(), tenant)):
        item = queries.work_item(item_id)
        kind = background_work.kinds.get(item.kind)
        if kind is not None and item.target_id is not None:
            kind.renew(kind.find(item.target_id))
        jobs.run_again(item)
        _record(RETRIED, item, tenant, reason)
    _record(RETRIED, item, tenant, reason)


def cancel(item_id: UUID, *, reason: str) -> None:
    """Stop work that is queued or running.

    Failed work leaves the list, and its row stays failed.
    """
    tenant = queries.tenant_of_work(item_id)
    with within(visiting(current.actor(), tenant)):
        item = queries.work_item(item_id)
        jobs.cancel(item)
        jobs.forget_failure(item_id)
        _record(CANCELLED, item, tenant, reason)
    _record(CANCELLED, item, tenant, reason)


def _record(what: Action, item: WorkItem, tenant: Tenant, reason: str) -> None:
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in both audit logs.", field="reason")
    record(
        what,
        tenant,
        reason=reason.strip(),
        kind=item.kind,
        tenant=tenant.slug,
        work=str(item.id),
    )
