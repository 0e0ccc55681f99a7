"""Request access to a tenant, and what follows: its approval, its use, its end.

Only an admin of the tenant approves, so an operator alone can neither begin nor renew it.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import queries as people
from governance.foundation.support_access import queries
from governance.foundation.support_access.models import SupportGrant
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import any_tenant_by_slug
from governance.foundation.tenants.suspension_actions import check_state
from governance.foundation.tenants.system_actor import system_actor_in, visiting
from governance.kernel import clock, current
from governance.kernel.data.db import session, within
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.formatting import moment
from governance.kernel.web.identity import OPERATOR_SLUG
from governance.kernel.work import jobs, outbox

FIELDS = "tenant feature may_change minutes until"
REQUESTED = action(
    "support_access.requested",
    "requested access to a tenant",
    target="SupportGrant",
    activity="create",
    severity="medium",
    fields=FIELDS,
    personal="name email",
)
APPROVED = action(
    "support_access.approved",
    "approved the operator's access",
    target="SupportGrant",
    activity="update",
    severity="high",
    fields=FIELDS,
    personal="name email",
)
CLOSED = action(
    "support_access.rejected",
    "closed a request for access",
    target="SupportGrant",
    activity="update",
    severity="low",
    fields="tenant how",
)
ENDED = action(
    "support_access.ended",
    "ended the operator's access",
    target="SupportGrant",
    activity="update",
    severity="medium",
    fields="tenant how reads",
    shape="stop",
)
KIND = "support_access"  # The kind of approvals.
EXPIRY = "end support access"  # The kind of work.
HOURS = (1, 2, 4, 8)
REQUEST_LIFETIME = timedelta(days=3)


class OwnMembership(DomainError):
    """The operator is a member of the tenant and has a way in of their own."""


def request_access(
    tenant: Tenant, *, hours: int, feature: str, may_change: bool, reason: str
) -> SupportGrant:
    """Request access from the tenant's admins; nothing opens before one of them approves."""
    who = current.actor()
    check_state(tenant, "active")
    if tenant.kind == "operator":
        raise Invalid("This is the operator's own tenant: sign in there.")
    if hours not in HOURS:
        raise Invalid("Choose one of the durations.", field="hours")
    with within(visiting(who, tenant)):
        if people.membership_of(current.person_id()) is not None:
            raise OwnMembership(f"You're a member of {tenant.name}. Sign in there instead.")
        if feature and feature not in queries.feature_labels(role_of(may_change=may_change)):
            raise Invalid("Choose everything, or one of the features.", field="feature")
        made = _request(who, tenant, hours, feature, reason, may_change=may_change)
        facts = _facts(made, tenant)
    record(REQUESTED, made, reason=made.reason, **facts)
    return made


def _request(
    who: current.Actor, tenant: Tenant, hours: int, feature: str, reason: str, *, may_change: bool
) -> SupportGrant:
    there = queries.open_request(current.person_id())
    if there is not None and not approvals.close_expired(KIND, there.id):
        raise DomainError(
            f"You already asked {tenant.name} for access. Its admins haven't decided."
        )
    made = SupportGrant(
        person_id=current.person_id(),
        pseudonym=personal_field_encryption.pseudonym(current.person_id()),
        name=who.name,
        email=who.email,
        role=who.role,
        reason=reason.strip(),
        feature=feature,
        may_change=may_change,
        minutes=hours * 60,
    )
    session().add(made)
    session().flush()
    approvals.request(
        KIND,
        made.id,
        summary=f"{'view and change' if may_change else 'view'} {tenant.name} for"
        f" {hours} {'hour' if hours == 1 else 'hours'}",
        reason=reason,
        expires_at=clock.now() + REQUEST_LIFETIME,
    )
    return made


def role_of(*, may_change: bool) -> str:
    """Return the role that the operator acts with, which decides, approves and manages nothing."""
    return "contributor" if may_change else "viewer"


def _facts(row: SupportGrant, tenant: Tenant) -> dict[str, Any]:
    return {
        "tenant": tenant.slug,
        "feature": row.feature or "everything",
        "may_change": row.may_change,
        "minutes": row.minutes,
        "name": row.name,
        "email": row.email,
    }


# ---- decided


def open_access(approval: Approval) -> None:
    """Open the access that an admin approved, from now on, for as long as was requested."""
    row, tenant = queries.grant(approval.target_id, lock=True), _own_tenant()
    if row.state != "requested":
        raise DomainError("This request was already decided. Nothing was changed.")
    row.state, row.starts_at = "approved", clock.now()
    row.ends_at = clock.now() + timedelta(minutes=row.minutes)
    facts = _facts(row, tenant) | {"until": row.ends_at}
    record(APPROVED, row, about=row.person_id, **facts)
    _tell_operator(APPROVED, row, facts)
    # The system does this work: time ends the access.
    with within(system_actor_in(tenant.id, tenant.slug, tenant.name)):
        jobs.enqueue(EXPIRY, row.id, ready_at=row.ends_at)
    outbox.send_mail(
        row.email,
        f"{tenant.name} approved your access",
        f"You can open {tenant.name} on Meridian until {moment(row.ends_at)}."
        " Everything you open there is recorded in its audit log.\n",
    )


def close_request(approval: Approval) -> None:
    """Close a request that was rejected, withdrawn or expired, and never worked."""
    row, tenant = queries.grant(approval.target_id, lock=True), _own_tenant()
    row.state = "closed"
    _tell_operator(CLOSED, row, {"tenant": tenant.slug, "how": approval.state})


def _own_tenant() -> Tenant:
    found = any_tenant_by_slug(current.actor().tenant_slug)
    if found is None:
        raise RuntimeError("the acting tenant always exists")
    return found


def _tell_operator(what: Any, row: SupportGrant, facts: dict[str, Any]) -> None:
    """Record the same in the operator's log, without an actor: its people don't know ours."""
    home = any_tenant_by_slug(OPERATOR_SLUG)
    if home is not None:
        with within(system_actor_in(home.id, home.slug, home.name)):
            record(what, row, about=row.person_id, **facts)


# ---- ended


def note_expiry(row: SupportGrant) -> bool:
    """Record the expiry in both logs, once; return False if somebody ended it earlier."""
    tenant = _own_tenant()
    session().refresh(row, with_for_update=True)
    if row.status != "over" or not jobs.once_per(EXPIRY, tenant.slug, str(row.id)):
        return False
    reads = queries.pages_viewed([row]).get(row.id, 0)
    facts: dict[str, Any] = {"tenant": tenant.slug, "how": "by time", "reads": reads}
    record(ENDED, row, **facts)
    _tell_operator(ENDED, row, facts)
    return True


def end_by_tenant(row: SupportGrant) -> None:
    """End a grant as an admin of the tenant, immediately. Idempotent."""
    if _end(row, "by the tenant"):
        tenant = _own_tenant()
        _tell_operator(ENDED, row, {"tenant": tenant.slug, "how": "by the tenant"})


def end_by_operator(tenant: Tenant, grant_id: UUID) -> None:
    """End a grant as its operator, or as any other operator."""
    with within(visiting(current.actor(), tenant)):
        row = queries.grant(grant_id)
        ended = _end(row, "by the operator")
    if ended:
        record(ENDED, row, tenant=tenant.slug, how="by the operator")


def _end(row: SupportGrant, how: str) -> bool:
    session().refresh(row, with_for_update=True)  # Waits for a change in progress.
    if not row.is_active:
        return False
    row.state, row.ends_at, row.ended_by = "ended", clock.now(), current.person_id()
    record(ENDED, row, tenant=current.actor().tenant_slug, how=how)
    return True
