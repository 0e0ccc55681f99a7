"""Inbox items of incidents.

Suggested stops to review, laws to decide on, notices to send, reviews to write and actions to
complete.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select

from governance.assurance.incidents import actions, clock_actions, permissions, review_actions
from governance.assurance.incidents.late_follow_up import REVIEW_WITHIN
from governance.assurance.incidents.models import (
    Classification,
    FollowUp,
    Incident,
    IncidentSuggestion,
    SentNotice,
)
from governance.assurance.incidents.states import LIVE, OPEN
from governance.assurance.incidents.statutory_rules import (
    AWARENESS,
    FIX,
    LATEST,
    VERSIONS,
    Stage,
    regime,
)
from governance.foundation.people.own_entries import own_items
from governance.kernel.work.inbox import (
    ME,
    TODAY,
    InboxDone,
    InboxRow,
    InboxSource,
    end_of,
    item_select,
)

DECIDE_WITHIN = timedelta(hours=24)  # The shortest period of all laws.


def _address(row: InboxRow) -> Mapping[str, Any]:
    return {"incident_id": row.parent or row.id}


# ---- stops that may be incidents


def _suggestions() -> Select[Any]:
    s = IncidentSuggestion
    query = item_select(s, about=s.switch, parent=s.stop_id, since=s.created_at)
    return query.where(s.settled_at.is_(None))


SUGGESTION = InboxSource(
    name="incident-suggestion",
    group="incidents",
    needs=permissions.DECLARE,
    select=_suggestions,
    icon="alert-triangle",
    verb="Decide",
    title=lambda row: f"Declare an incident from the stop of {row.about}?",
    detail=lambda _row: "Declare it with one click, or say why it is none",
    why="a person stopped it, and you can declare incidents",
    endpoint="incidents.suggestion",
    values=lambda row: {"stop_id": row.parent},
)


# ---- laws


def _unclassified() -> Select[Any]:
    i, c = Incident, Classification
    decided = (
        select(func.count())
        .where(c.tenant_id == i.tenant_id, c.incident_id == i.id, c.applies.is_not(None))
        .scalar_subquery()
    )
    query = item_select(
        i, about=i.ref, detail=i.title, since=i.declared_at, due=i.aware_at + DECIDE_WITHIN
    )
    return query.where(i.state.in_(LIVE), decided < len(VERSIONS[LATEST]))


def _assigned() -> Select[Any]:
    i, c = Incident, Classification
    query = item_select(
        c,
        about=i.ref,
        parent=i.id,
        place=c.regime,
        detail=i.title,
        since=c.created_at,
        due=func.coalesce(c.decide_by, i.aware_at + DECIDE_WITHIN),
    )
    query = query.join(i, and_(i.tenant_id == c.tenant_id, i.id == c.incident_id))
    return query.where(c.applies.is_(None), c.decider_id == ME, i.state.in_(LIVE))


def _law(row: InboxRow) -> str:
    found = regime(row.place)
    return found.name if found else row.place


def _classified() -> Select[Any]:
    i, c = Incident, Classification
    query = own_items(c, clock_actions.CLASSIFIED, parent=i.id, about=i.ref)
    return query.join(i, and_(i.tenant_id == c.tenant_id, i.id == c.incident_id))


CLASSIFIED = InboxDone(
    name="incident-classified",
    icon="scale",
    select=_classified,
    endpoint="incidents.incident",
    values=_address,
)
CLASSIFY = InboxSource(
    name="incident-classification",
    group="incidents",
    needs=permissions.CLASSIFY,
    select=_unclassified,
    icon="scale",
    verb="Decide",
    title=lambda row: f"Decide which laws apply to {row.about}",
    detail=lambda row: row.detail,
    why="you decide which laws apply to incidents",
    endpoint="incidents.incident",
    values=_address,
    done=(CLASSIFIED,),
)
ASSIGNED = InboxSource(
    name="incident-decision",
    group="incidents",
    needs=permissions.CLASSIFY,
    select=_assigned,
    icon="scale",
    verb="Decide",
    title=lambda row: f"Decide whether {_law(row)} applies to {row.about}",
    detail=lambda row: row.detail,
    why="a colleague asked you to decide",
    endpoint="incidents.classify",
    values=lambda row: {"incident_id": row.parent, "regime_key": row.place},
)


def _is_sent(key: str, stage: str) -> ColumnElement[bool]:
    c, n = Classification, SentNotice
    return exists().where(
        n.tenant_id == c.tenant_id,
        n.incident_id == c.incident_id,
        n.regime == key,
        n.stage == stage,
    )


def _stages() -> list[tuple[ColumnElement[bool], str, Any]]:
    """Return (is the next notice, its stage, its due time) for every law and case, in order.

    A period that follows another notice counts from that notice's deadline. The sent notice can
    only be earlier.
    """
    c = Classification
    return [
        (
            and_(c.regime == law.key, c.variant == variant.key, ~_is_sent(law.key, stage.key)),
            stage.key,
            _due(variant.stages, stage),
        )
        for law in VERSIONS[LATEST]
        for variant in law.variants
        for stage in variant.stages
    ]


def _due(stages: tuple[Stage, ...], stage: Stage) -> Any:
    i = Incident
    if stage.start == FIX:
        return func.coalesce(i.monitoring_at, i.resolved_at) + _length(stage)
    if stage.start == AWARENESS:
        return i.aware_at + _length(stage)
    earlier = next(each for each in stages if each.key == stage.start)
    return _due(stages, earlier) + _length(stage)


def _length(stage: Stage) -> timedelta:
    """Return the length of a period. A month counts 28 days, so the item is never late."""
    return timedelta(hours=stage.hours, days=stage.days + 28 * stage.months)


def _notices() -> Select[Any]:
    i, c, stages = Incident, Classification, _stages()
    place = case(*((is_next, literal(key)) for is_next, key, _due_at in stages))
    due = case(*((is_next, due_at) for is_next, _key, due_at in stages))
    query = item_select(
        c, about=i.ref, parent=i.id, place=c.regime, detail=place, since=c.decided_at, due=due
    )
    query = query.join(i, and_(i.tenant_id == c.tenant_id, i.id == c.incident_id))
    return query.where(c.applies.is_(True), or_(*(is_next for is_next, _key, _d in stages)))


def _notice_name(row: InboxRow) -> str:
    found = regime(row.place)
    stages = (s for v in found.variants for s in v.stages) if found else ()
    name = next((s.name.lower() for s in stages if s.key == row.detail), "notice")
    return f"{name} under {_law(row)}"


NOTICE = InboxSource(
    name="incident-notice",
    group="incidents",
    needs=permissions.CLASSIFY,
    select=_notices,
    icon="send",
    verb="Open",
    title=lambda row: f"Send the {_notice_name(row)} for {row.about}",
    detail=lambda _row: "Record it as sent, with its reference",
    why="this law applies, and you record notices",
    endpoint="incidents.notice",
    values=lambda row: {
        "incident_id": row.parent,
        "regime_key": row.place,
        "stage_key": row.detail,
    },
)


# ---- the lead's


def _led() -> Select[Any]:
    i = Incident
    query = item_select(i, about=i.ref, place=i.state, detail=i.title, since=i.declared_at)
    return query.where(i.state.in_(OPEN), i.lead_id == ME)


def _to_review() -> Select[Any]:
    i = Incident
    query = item_select(
        i, about=i.ref, detail=i.title, since=i.resolved_at, due=i.resolved_at + REVIEW_WITHIN
    )
    return query.where(i.state == "resolved", i.lead_id == ME)


def _moved() -> Select[Any]:
    return own_items(Incident, actions.ADVANCED, actions.CLOSED, about=Incident.ref)


MOVED = InboxDone(
    name="incident",
    icon="alert-triangle",
    select=_moved,
    endpoint="incidents.incident",
    values=_address,
)
LEAD = InboxSource(
    name="incident",
    group="incidents",
    needs=permissions.MANAGE,
    select=_led,
    icon="alert-triangle",
    verb="Open",
    title=lambda row: f"Lead {row.about}: {row.detail}",
    detail=lambda row: row.place.capitalize(),
    why="you lead this incident",
    endpoint="incidents.incident",
    values=_address,
    done=(MOVED,),
)
REVIEW = InboxSource(
    name="incident-review",
    group="incidents",
    needs=permissions.MANAGE,
    select=_to_review,
    icon="file-text",
    verb="Write",
    title=lambda row: f"Write the review of {row.about}",
    detail=lambda row: row.detail,
    why="you lead this incident, and it is resolved",
    endpoint="incidents.review",
    values=_address,
    done=(MOVED,),
)


# ---- actions afterwards


def _follow_ups(who: Any = None) -> Select[Any]:
    i, f = Incident, FollowUp
    query = item_select(
        f,
        about=f.title,
        parent=i.id,
        who=who,
        detail=i.ref,
        since=f.created_at,
        due=end_of(f.due_on),
    )
    return query.join(i, and_(i.tenant_id == f.tenant_id, i.id == f.incident_id)).where(
        f.done_at.is_(None)
    )


def _own_follow_ups() -> Select[Any]:
    return _follow_ups().where(FollowUp.owner_id == ME)


def _late_follow_ups() -> Select[Any]:
    f = FollowUp
    return _follow_ups(f.owner_id).where(f.owner_id != ME, f.due_on < TODAY)


def _completed() -> Select[Any]:
    i, f = Incident, FollowUp
    query = own_items(f, review_actions.FOLLOW_UP_DONE, parent=i.id, about=f.title)
    return query.join(i, and_(i.tenant_id == f.tenant_id, i.id == f.incident_id))


COMPLETED = InboxDone(
    name="incident-action",
    icon="checklist",
    select=_completed,
    endpoint="incidents.incident",
    values=_address,
)
FOLLOW_UP = InboxSource(
    name="incident-action",
    group="incidents",
    needs=permissions.NOTE,
    select=_own_follow_ups,
    icon="checklist",
    verb="Complete",
    title=lambda row: row.about,
    detail=lambda row: f"Action after {row.detail}",
    why="you own this action",
    endpoint="incidents.incident",
    values=_address,
    done=(COMPLETED,),
)
LATE_FOLLOW_UP = InboxSource(
    name="incident-action-late",
    group="incidents",
    needs=permissions.CLOSE,
    select=_late_follow_ups,
    icon="bell",
    verb="Open",
    title=lambda row: f"Follow up with {row.who}: {row.about}",
    detail=lambda row: f"Action after {row.detail}",
    why="you manage incidents, and this action is overdue",
    endpoint="incidents.incident",
    values=_address,
)
SOURCES = (
    SUGGESTION,
    CLASSIFY,
    ASSIGNED,
    NOTICE,
    LEAD,
    REVIEW,
    FOLLOW_UP,
    LATE_FOLLOW_UP,
)
