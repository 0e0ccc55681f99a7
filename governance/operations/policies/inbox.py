"""Of the policies: looser versions that another person requested."""

from typing import Any

from sqlalchemy import Select, String, cast, func, literal

from governance.foundation.people.queries import name_of
from governance.foundation.people.second_person import may_approve
from governance.kernel.inbox import ME, InboxSource, item_select, requested
from governance.operations.policies import permissions
from governance.operations.policies.models import PolicyVersion


def _looser_policies() -> Select[Any]:
    v = PolicyVersion
    query = item_select(v, about=literal(""), who=name_of(v.made_by), detail=v.reason, since=v.asked_at)
    mine = v.hands.contains(func.jsonb_build_array(cast(ME, String)))
    return query.where(v.state == "asked", may_approve(v.made_by, v.asked_at, me=ME), ~mine)


POLICY = InboxSource(
    name="policy", group="approvals", needs=permissions.APPROVE, select=_looser_policies,
    icon="adjustments-horizontal", verb="Review",
    title=lambda _: "Review the looser policy", detail=requested,
    why="you can approve policies, and you had no part in this version",
    endpoint="policies.decision", values=lambda row: {"policy_version_id": row.id},
)  # fmt: skip
SOURCES = (POLICY,)
