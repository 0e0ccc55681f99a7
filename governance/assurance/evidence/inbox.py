"""Inbox sources of evidence: items to upload, assign or follow up on, and versions to review.

`consequence` is a port. Assessments answer it with the requirements that late evidence lowers.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Select, func, null, select
from sqlalchemy.orm import aliased

from governance.assurance.evidence import (
    actions,
    permissions,
    queries,
    version_actions,
)
from governance.assurance.evidence.freshness_sql import facts, facts_of_owner, known_versions
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.evidence.visibility import WHOLE
from governance.foundation.people.own_entries import own_items
from governance.kernel.ports import Port
from governance.kernel.safety.access import not_excluded
from governance.kernel.work.bulk import BulkItem
from governance.kernel.work.inbox import (
    ME,
    NOW,
    TODAY,
    InboxAssignment,
    InboxDone,
    InboxRow,
    InboxSource,
    end_of,
    item_select,
    lower_first,
)

LATE = ("overdue", "rejected")
UNDONE = (*LATE, "missing", "due")

consequence: Port[Callable[[Any], Any]] = Port(
    "the requirements that late evidence lowers", lambda _evidence_id: null()
)


@cache
def live_facts() -> CTE:
    """Return the CTE of live items, one object for all sources, so that it is computed once."""
    return facts(NOW, WHOLE, TODAY)


def _items(f: CTE, *, who: Any = None) -> Select[Any]:
    e = aliased(Evidence, f)
    return item_select(
        e,
        about=e.title,
        place=f.c.state,
        who=who,
        detail=e.ref,
        since=e.created_at,
        due=end_of(f.c.deadline),
    )


def _mine() -> Select[Any]:
    """Select the person's own items that need action, without reading those of others."""
    f = facts_of_owner(NOW, ME, TODAY)
    return _items(f).where(f.c.state.in_(UNDONE))


def _unassigned() -> Select[Any]:
    f = live_facts()
    return _items(f).where(f.c.owner_id.is_(None), f.c.state.in_(UNDONE))


def _late_of_others() -> Select[Any]:
    f = live_facts()
    return _items(f, who=f.c.owner_id).where(f.c.owner_id != ME, f.c.state.in_(LATE))


def _next_deadline() -> Select[Any]:
    f = facts_of_owner(NOW, ME, TODAY)
    return select(func.min(f.c.deadline)).where(f.c.deadline >= TODAY)


def _to_review() -> Select[Any]:
    """Select versions in review that the person may review."""
    v, e, known = EvidenceVersion, Evidence, _known()
    detail = func.concat(e.ref, " version ", v.number)
    query = item_select(
        v,
        about=e.title,
        who=v.uploaded_by,
        detail=detail,
        since=v.uploaded_at,
    )
    query = query.join(e, e.id == v.evidence_id).join(known, known.c.id == v.id)
    return query.where(
        e.retired_at.is_(None), known.c.review == "pending", not_excluded(permissions.REVIEW, v, ME)
    )


@cache
def _known() -> Any:
    return known_versions(NOW, WHOLE).subquery()


def _done_versions() -> Select[Any]:
    v, e = EvidenceVersion, Evidence
    done = (version_actions.UPLOADED, version_actions.ACCEPTED, version_actions.REJECTED)
    return own_items(v, *done, parent=e.id, about=e.title).join(e, e.id == v.evidence_id)


def _done_owners() -> Select[Any]:
    return own_items(Evidence, actions.ASSIGNED, about=Evidence.title)


# InboxAssignment defines this signature.
def _to_assign(ids: Collection[UUID], lock: bool) -> list[BulkItem]:  # noqa: FBT001
    found = queries.find_items(ids, lock=lock)
    return [
        BulkItem(
            each.id, each.ref, each.title, "", {"owner_id": each.owner_id}, actions.why_not(each)
        )
        for each in found
    ]


ASSIGNMENT = InboxAssignment(
    permissions.MANAGE, _to_assign, actions.assign_all, frozenset(actions.UNDOABLE)
)


def _held_back(evidence_id: Any) -> Any:
    return consequence()(evidence_id)


def _late(row: InboxRow) -> str:
    return f"{row.place} " if row.place in LATE else ""


def _address(row: InboxRow) -> Mapping[str, Any]:
    return {"evidence_id": row.id}


def _address_when_done(row: InboxRow) -> Mapping[str, Any]:
    return {"evidence_id": row.parent}


VERSIONS = InboxDone(
    name="evidence-version",
    icon="files",
    select=_done_versions,
    endpoint="evidence.item",
    values=_address_when_done,
)
OWNERS = InboxDone(
    name="evidence-owner",
    icon="user-plus",
    select=_done_owners,
    endpoint="evidence.item",
    values=_address_when_done,
)
MINE = InboxSource(
    name="evidence-upload",
    group="evidence",
    needs=permissions.UPLOAD,
    select=_mine,
    icon="upload",
    verb="Upload",
    title=lambda row: f"Upload {_late(row)}{lower_first(row.about)}",
    detail=lambda row: row.detail,
    why="you own this evidence item",
    endpoint="evidence.upload_form",
    values=_address,
    more=_held_back,
    assign=ASSIGNMENT,
    done=(VERSIONS,),
    next_due=_next_deadline,
)
UNASSIGNED = InboxSource(
    name="evidence-owner",
    group="evidence",
    needs=permissions.MANAGE,
    select=_unassigned,
    icon="user-plus",
    verb="Assign",
    title=lambda row: f"Assign an owner to {_late(row)}{lower_first(row.about)}",
    detail=lambda row: row.detail,
    why="you manage evidence, and this item has no owner",
    endpoint="evidence.item",
    values=_address,
    more=_held_back,
    assign=ASSIGNMENT,
    done=(OWNERS,),
)
FOLLOW_UP = InboxSource(
    name="evidence-late",
    group="evidence",
    needs=permissions.MANAGE,
    select=_late_of_others,
    icon="bell",
    verb="Open",
    title=lambda row: f"Follow up with {row.who} on the {_late(row)}{lower_first(row.about)}",
    detail=lambda row: row.detail,
    why="you manage evidence, and the owner is late with this item",
    endpoint="evidence.item",
    values=_address,
    more=_held_back,
    assign=ASSIGNMENT,
)
REVIEW = InboxSource(
    name="evidence-review",
    group="reviews",
    needs=permissions.REVIEW,
    select=_to_review,
    icon="eye-search",
    verb="Review",
    title=lambda row: f"Review evidence: {row.about}",
    detail=lambda row: f"{row.detail}, uploaded by {row.who or 'Meridian'}",
    why="you can review evidence, and another person uploaded this version",
    endpoint="evidence.reviewing",
    values=lambda row: {"version_id": row.id},
    done=(VERSIONS,),
)
SOURCES = (MINE, UNASSIGNED, FOLLOW_UP, REVIEW)
