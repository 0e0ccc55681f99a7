"""Of privacy: erasures and unmaskings that another person requested."""

from typing import Any

from sqlalchemy import Select, literal, select

from governance.foundation.people.models import Membership
from governance.foundation.people.queries import name_of
from governance.foundation.people.second_person import may_approve
from governance.foundation.privacy import permissions
from governance.foundation.privacy.models import Erasure, Unmasking
from governance.kernel.inbox import ME, InboxSource, item_select, requested


def _requests(of: Any) -> Select[Any]:
    """Nobody decides on a request that is about themselves."""
    query = item_select(of, about=literal(""), who=name_of(of.asked_by), detail=of.reason, since=of.created_at)
    mine = select(Membership.pseudonym).where(Membership.person_id == ME)
    return query.where(of.state == "asked", of.subject.not_in(mine), may_approve(of.asked_by, of.created_at, me=ME))


ERASURE = InboxSource(
    name="erasure", group="approvals", needs=permissions.ERASE, select=lambda: _requests(Erasure), icon="trash", verb="Review",
    title=lambda _: "Review the erasure of a person", detail=requested,
    why="two people decide whom Meridian erases, and you can be the second",
    endpoint="privacy.erasure", values=lambda row: {"erasure_id": row.id},
)  # fmt: skip
UNMASKING = InboxSource(
    name="unmasking", group="approvals", needs=permissions.UNMASK, select=lambda: _requests(Unmasking), icon="eye-search",
    verb="Review", title=lambda _: "Review a request to see a name", detail=requested,
    why="two people decide whose name is shown, and you can be the second",
    endpoint="privacy.unmasking", values=lambda row: {"unmasking_id": row.id},
)  # fmt: skip
SOURCES = (ERASURE, UNMASKING)
