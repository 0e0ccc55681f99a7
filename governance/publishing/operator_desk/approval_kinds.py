"""The approval of a suspension, or of its end, by a second operator."""

from collections.abc import Mapping
from typing import Any

from governance.foundation.approvals.kinds import ApprovalEffect, ApprovalKind, Description
from governance.foundation.approvals.models import Approval
from governance.foundation.tenants import permissions
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import tenant_by_id
from governance.kernel.errors import NotFound
from governance.publishing.operator_desk import actions, queries

EFFECTS = (
    ApprovalEffect(
        "stop", "Everyone is signed out.", "Each person is told why they can't sign in."
    ),
    ApprovalEffect("stop", "Its AI systems are stopped.", "Decisions answer with safe values."),
    ApprovalEffect("ok", "Nothing is deleted.", "Resuming it brings everything back as it was."),
)


def _tenant(approval: Approval) -> Tenant:
    found = tenant_by_id(approval.target_id)
    if found is None:
        raise NotFound("This tenant doesn't exist.")
    return found


def _describe(approval: Approval) -> Description:
    tenant = _tenant(approval)
    suspends = approval.summary.startswith("suspend")
    facts = queries.tenant_facts(tenant)
    return Description(
        title=approval.summary,
        heading=f"{tenant.name} {'is suspended' if suspends else 'can be used again'}",
        facts=[("Tenant", tenant.name), ("Slug", tenant.slug), ("Tier", facts.tier)],
        figures=queries.impact(facts) if suspends else (),
        effects=EFFECTS if suspends else (),
        covers="Covers the tenant, its present state, and the request itself.",
        back=(tenant.name, "operator_desk.tenant", {"slug": tenant.slug}),
        verb="Suspend tenant" if suspends else "Resume tenant",
        consequence="It takes effect immediately, in both audit logs.",
    )


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    tenant = _tenant(approval)
    return {"tenant": str(tenant.id), "status": tenant.status}


def _apply(approval: Approval) -> None:
    actions.apply_request(_tenant(approval), approval.reason)


SUSPENSION = ApprovalKind(
    name=actions.SUSPENSION,
    label="Tenant suspension",
    permission=permissions.SUSPEND,
    describe=_describe,
    fingerprint=_fingerprint,
    apply=_apply,
    confirmation=lambda approval: _tenant(approval).name,
    own="You requested this, so another operator decides.",
)
KINDS = (SUSPENSION,)
