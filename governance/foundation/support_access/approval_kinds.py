"""The approval of an operator's access, by an admin of the tenant."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.foundation.people import queries as people
from governance.foundation.people.models import Membership
from governance.foundation.support_access import actions, permissions, queries
from governance.foundation.support_access.models import SupportGrant
from governance.foundation.tenants.queries import any_tenant_by_slug
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.data.db import session, within
from governance.kernel.formatting import plural
from governance.kernel.safety.access import ROLE_NAMES
from governance.kernel.web.identity import OPERATOR_SLUG

SAME_HUMAN = (
    "You have the same email address as the operator who requested this, so you can't approve it."
    " Ask another admin."
)
CHANGED = (
    "The operator who requested this has another role now, or has left. Reject it; they can request"
    " it again."
)


def scope_words(row: SupportGrant) -> str:
    if not row.feature:
        return "Everything"
    labels = queries.feature_labels(actions.role_of(may_change=row.may_change))
    return f"Only {labels.get(row.feature, row.feature)}"


def level_words(row: SupportGrant) -> str:
    return "View, and change what a contributor can" if row.may_change else "View only"


def _describe(approval: Approval) -> Description:
    row = queries.grant(approval.target_id)
    effects = [
        ApprovalEffect(
            "due", f"{row.name} can open this tenant.", "It ends by itself; you can end it earlier."
        ),
        ApprovalEffect("ok", "Every page that they open is in your audit log.", ""),
    ]
    if row.may_change:
        effects.append(
            ApprovalEffect("due", "They can change content.", "They can't approve or decide.")
        )
    return Description(
        title=approval.summary,
        heading="What the operator gets",
        facts=[
            ("Operator", row.name),
            ("Email", row.email),
            ("Role at the operator", ROLE_NAMES[row.role]),
            ("Opens", scope_words(row)),
            ("Allows", level_words(row)),
            ("For", f"{plural(row.minutes // 60, 'hour')} after the approval"),
        ],
        effects=effects,
        covers="Covers the operator, the scope, the duration, and the request itself.",
        back=("Support access", "support_access.index", {}),
        verb="Give access",
        consequence="They can open this tenant from now on.",
    )


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    row = queries.grant(approval.target_id)
    return {
        "person": str(row.person_id),
        "name": row.name,
        "email": row.email,
        "role": row.role,
        "feature": row.feature,
        "may_change": row.may_change,
        "minutes": row.minutes,
        "state": row.state,
    }


def _blocked(approval: Approval) -> str | None:
    """Return why it can't be approved: the same human, or the operator's role has changed."""
    row = queries.grant(approval.target_id)
    mine = people.membership_of(current.person_id())
    if mine is not None and row.email and mine.person.email.lower() == row.email.lower():
        return SAME_HUMAN
    return None if _has_role(row) else CHANGED


def _has_role(row: SupportGrant) -> bool:
    home = any_tenant_by_slug(OPERATOR_SLUG)
    if home is None:
        return False
    with within(system_actor_in(home.id, home.slug, home.name)):
        query = select(Membership.role).where(
            Membership.person_id == row.person_id, Membership.ended_at.is_(None)
        )
        return session().scalar(query) == row.role


def _entry(approval: Approval, _step: str) -> LogEntry:
    row = queries.grant(approval.target_id)
    facts = {
        "tenant": current.actor().tenant_slug,
        "feature": row.feature or "everything",
        "may_change": row.may_change,
        "minutes": row.minutes,
        "name": row.name,
        "email": row.email,
        "how": approval.state,
    }
    return LogEntry(row, row.person_id, facts)


SUPPORT = ApprovalKind(
    name=actions.KIND,
    label="Support access",
    permission=permissions.APPROVE,
    describe=_describe,
    fingerprint=_fingerprint,
    blocked=_blocked,
    apply=actions.open_access,
    on_reject=actions.close_request,
    requester=lambda approval: queries.grant(approval.target_id).name,
    own="You requested this, so an admin of the tenant decides.",
    entry=_entry,
    lifetime=actions.REQUEST_LIFETIME,
    entries={
        "requested": actions.REQUESTED,
        "approved": None,
        "rejected": actions.CLOSED,
        "withdrawn": actions.CLOSED,
        "expired": actions.CLOSED,
    },
)
KINDS = (SUPPORT,)
