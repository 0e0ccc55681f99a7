"""Of the policies: looser versions and waivers that another person requested."""

from typing import Any

from sqlalchemy import Select, String, cast, func, literal

from governance.foundation.people.queries import name_of
from governance.foundation.people.second_person import may_approve
from governance.kernel.inbox import ME, NOW, InboxRow, InboxSource, item_select, lower_first, requested
from governance.operations.policies import permissions
from governance.operations.policies.models import PolicyVersion, Waiver
from governance.operations.policies.strictness import DIMENSIONS
from governance.operations.systems.models import AISystem


def waived(row: InboxRow) -> str:
    """As "grounding of ad-copywriter", from the dimension's key and the system's."""
    return dimension_of(row.about)


def dimension_of(about: str) -> str:
    key, _, system = about.partition(" ")
    title = DIMENSIONS[key].title if key in DIMENSIONS else key
    return f"{lower_first(title)} of {system}"


def _looser_policies() -> Select[Any]:
    v = PolicyVersion
    query = item_select(v, about=literal(""), who=name_of(v.made_by), detail=v.reason, since=v.asked_at)
    mine = v.hands.contains(func.jsonb_build_array(cast(ME, String)))
    return query.where(v.state == "asked", may_approve(v.made_by, v.asked_at, me=ME), ~mine)


def _waivers() -> Select[Any]:
    w = Waiver
    about = w.dimension + " " + AISystem.key
    query = item_select(w, about=about, who=name_of(w.asked_by), detail=w.reason, since=w.created_at, due=w.expires_at)
    open_ones = (w.state == "asked") & (w.expires_at > NOW)
    not_mine = may_approve(w.asked_by, w.created_at, me=ME) & w.first_by.is_distinct_from(ME)
    return query.join(AISystem, AISystem.id == w.system_id).where(open_ones, not_mine)


POLICY = InboxSource(
    name="policy", group="approvals", needs=permissions.APPROVE, select=_looser_policies,
    icon="adjustments-horizontal", verb="Review",
    title=lambda _: "Review the looser policy", detail=requested,
    why="you can approve policies, and you had no part in this version",
    endpoint="policies.decision", values=lambda row: {"policy_version_id": row.id},
)  # fmt: skip
WAIVER = InboxSource(
    name="waiver", group="approvals", needs=permissions.WAIVE, select=_waivers, icon="shield-half", verb="Review",
    title=lambda row: f"Review the waiver: {waived(row)}", detail=requested,
    why="a waiver needs two approvers besides its requester, and you can be one",
    endpoint="waivers.waiver", values=lambda row: {"waiver_id": row.id},
)  # fmt: skip
SOURCES = (POLICY, WAIVER)
