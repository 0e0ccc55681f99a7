"""The freshness of live items in SQL, so that lists can filter, sort, count and page by it.

    facts(now, scope) → CTE       a row per live item: its state, deadline and versions in review
    known_versions(now, scope)    the versions as known at an instant
    matching(facts, …)            the filters of a list
    tally(facts, …)               items by state, matching items, versions in review

The rules are those of freshness.py. test_freshness_sql.py compares the two on generated items.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Integer,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
)

from governance.assurance.evidence.freshness import (
    CADENCES,
    DUE_SOON_DAYS,
    due_soon_days,
    max_age_days,
)
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceDeletion,
    EvidenceFault,
    EvidenceLink,
    EvidenceReview,
    EvidenceVersion,
    EvidenceWithdrawal,
)
from governance.assurance.evidence.ports import supported_controls
from governance.assurance.evidence.visibility import WHOLE, VisibleScope

STATES = ("overdue", "rejected", "missing", "in review", "due", "fresh")
DECIDED = ("approved", "done")  # States of a deletion that two people approved.
SORTS = ("ref", "title", "deadline", "owner")
URGENCY = {
    "overdue": 0,
    "rejected": 1,
    "missing": 2,
    "due": 3,
}  # States that need action, worst first.


type Called = Callable[[Any], ColumnElement[Any]]


def known_versions(now: Any, scope: VisibleScope) -> Select[Any]:
    """Select the versions known at `now` that aren't withdrawn and whose file isn't deleted."""
    v, gone, taken = EvidenceVersion, EvidenceDeletion, EvidenceWithdrawal
    withdrawn = select(taken.id).where(taken.version_id == v.id, taken.created_at <= now)
    destroyed = select(gone.id).where(
        gone.version_id == v.id, gone.state.in_(DECIDED), gone.decided_at <= now
    )
    judged = case((EvidenceReview.reviewed_at <= now, EvidenceReview.decision), else_="pending")
    return (
        select(
            v.id,
            v.evidence_id,
            v.number,
            v.uploaded_at,
            v.valid_until,
            cast(func.timezone("UTC", v.collected_at), Date).label("collected_on"),
            case((EvidenceFault.found_at <= now, "broken"), else_=judged).label("review"),
        )
        .outerjoin(EvidenceReview, EvidenceReview.version_id == v.id)
        .outerjoin(
            EvidenceFault, (EvidenceFault.version_id == v.id) & EvidenceFault.restored_at.is_(None)
        )
        .where(v.uploaded_at <= now, ~destroyed.exists(), ~withdrawn.exists(), *scope.of_versions())
    )


def facts(now: Any, scope: VisibleScope, today: Any = None, called: "Called | None" = None) -> CTE:
    """Return a CTE with the state of each live item.

    `now` is an instant, or a statement parameter together with the parameter `today`. `called` maps
    the owner's id to the name that the reader sees. Without it, `owner` is NULL.
    """
    found = _facts(_per_piece(now, scope), now, scope, today, called)
    return found.cte("facts").prefix_with("MATERIALIZED")


def facts_of_owner(now: Any, owner: Any, today: Any) -> CTE:
    """Return `facts` for the items of one owner only. All arguments are statement parameters.

    It isn't materialized, so a statement should read it once.
    """
    e = Evidence
    mine = select(e.id).where(e.owner_id == owner, e.retired_at.is_(None))
    per = _per_piece(now, WHOLE, pieces=mine)
    return _facts(per, now, WHOLE, today).where(e.owner_id == owner).cte("facts_of_owner")


def _facts(
    per: Subquery, now: Any, scope: VisibleScope, today: Any, called: "Called | None" = None
) -> Select[*tuple[Any, ...]]:
    e = Evidence
    until = func.coalesce(per.c.held, func.least(per.c.first_end, e.due_on))
    day = literal(now.date(), Date) if today is None else today
    return (
        select(
            e.tenant_id,
            e.id,
            e.ref,
            e.title,
            e.kind,
            e.owner_id,
            (null() if called is None else called(e.owner_id)).label("owner"),
            until.label("deadline"),
            _state(per, until, day).label("state"),
            func.coalesce(per.c.pending, 0).label("pending"),
            per.c.held.is_not(None).label("has_accepted"),
            e.created_at,
        )
        .outerjoin(per, per.c.evidence_id == e.id)
        .where(e.retired_at.is_(None), *scope.of_pieces())
    )


def _per_piece(now: Any, scope: VisibleScope, *, pieces: Select[Any] | None = None) -> Subquery:
    known = known_versions(now, scope)
    if pieces is not None:
        known = known.where(EvidenceVersion.evidence_id.in_(pieces))
    v = known.subquery()
    accepted, waits = v.c.review == "accepted", v.c.review == "pending"
    return (
        select(
            v.c.evidence_id,
            func.max(v.c.valid_until).filter(accepted).label("held"),
            func.max(v.c.collected_on).filter(accepted).label("collected_on"),
            func.min(v.c.valid_until).label("first_end"),
            func.max(v.c.number).label("last"),
            func.max(v.c.number).filter(waits).label("last_waiting"),
            func.count().filter(waits).label("pending"),
        )
        .group_by(v.c.evidence_id)
        .subquery()
    )


def _state(per: Subquery, until: ColumnElement[Any], day: Any) -> ColumnElement[str]:
    p = per.c
    return case(
        (until < day, "overdue"),
        (p.last.is_(None), "missing"),
        (p.held.is_(None) & (p.last_waiting == p.last), "in review"),
        (p.held.is_(None), "rejected"),
        (
            p.held - day
            <= _days({cadence: due_soon_days(cadence) for cadence in CADENCES}, DUE_SOON_DAYS),
            "due",
        ),
        (
            day - p.collected_on
            > _days({cadence: max_age_days(cadence) for cadence in CADENCES}, None),
            "due",
        ),
        else_="fresh",
    )


def _days(by_cadence: Mapping[str, int | None], otherwise: int | None) -> ColumnElement[int]:
    """Return the days of an item's cadence. NULL for no limit, so that comparisons aren't true."""
    some = {cadence: days for cadence, days in by_cadence.items() if days != otherwise}
    return case(
        some,
        value=Evidence.cadence,
        else_=null() if otherwise is None else literal(otherwise, Integer),
    )


# ---- Filters and sorting


def matching(
    f: CTE,
    scope: VisibleScope,
    *,
    q: str = "",
    state: str = "",
    owner: UUID | str = "",
    kind: str = "",
    control: UUID | None = None,
) -> ColumnElement[bool]:
    """Return the filter of a list.

    `owner` is a person's id or "nobody". Each word of `q` must be in the ref, title, owner's name
    or kind.
    """
    criteria: list[ColumnElement[bool]] = []
    searched = func.concat_ws(" ", f.c.ref, f.c.title, f.c.owner, f.c.kind)
    criteria += [searched.icontains(word, autoescape=True) for word in q.split()]
    criteria += [
        column == value for column, value in ((f.c.state, state), (f.c.kind, kind)) if value
    ]
    if owner:
        criteria.append(f.c.owner_id.is_(None) if owner == "nobody" else f.c.owner_id == owner)
    if control is not None:
        criteria.append(f.c.id.in_(supporting(control, scope)))
    return and_(true(), *criteria)


def supporting(control_id: UUID, scope: VisibleScope) -> Select[Any]:
    """Select the ids of evidence items that support this control, if it is live."""
    control, link = supported_controls()().subquery("control").c, EvidenceLink
    return (
        select(link.evidence_id)
        .where(control.id == link.control_id, control.retired_at.is_(None))
        .where(
            link.control_id == control_id,
            link.removed_at.is_(None),
            *scope.of_controls(link.control_id),
        )
    )


def is_urgent(f: CTE, today: date) -> ColumnElement[bool]:
    """Check in SQL whether an item needs action.

    It does if it is overdue, rejected or due, or missing with a deadline within two weeks or none.
    """
    near = or_(f.c.deadline.is_(None), f.c.deadline - literal(today, Date) <= DUE_SOON_DAYS)
    return f.c.state.in_([state for state in URGENCY if state != "missing"]) | (
        (f.c.state == "missing") & near
    )


def worst_first(f: CTE) -> tuple[ColumnElement[Any], ...]:
    return case(URGENCY, value=f.c.state), _deadline(f), f.c.ref


def order(f: CTE, sort: str) -> tuple[ColumnElement[Any], ...]:
    """Return the columns to sort by. None of them is NULL, and the last one is unique.

    Items without an owner, or without a deadline, sort after all others.
    """
    nobody = case((f.c.owner.is_(None), 1), else_=0)
    by: dict[str, tuple[ColumnElement[Any], ...]] = {
        "title": (func.lower(f.c.title, type_=String),),
        "deadline": (_deadline(f),),
        "owner": (nobody, func.lower(func.coalesce(f.c.owner, ""), type_=String)),
    }
    return *by.get(sort, ()), f.c.ref


def _deadline(f: CTE) -> ColumnElement[date]:
    return func.coalesce(f.c.deadline, literal(date.max, Date))


def tally(f: CTE, criteria: ColumnElement[bool]) -> CTE:
    """Return a CTE of one row: `matching`, `reviews`, and a column for each state."""
    states = [func.count().filter(f.c.state == state).label(state) for state in STATES]
    reviews = func.coalesce(cast(func.sum(f.c.pending), Integer), 0)
    counted = select(
        func.count().filter(criteria).label("matching"), reviews.label("reviews"), *states
    ).select_from(f)
    return counted.cte("tally").prefix_with("MATERIALIZED")
