"""Inbox items of Type II testing: exceptions to respond to, findings to fix, fixes to retest."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, any_, select

from governance.assurance.controls.models import Control
from governance.assurance.testing import exception_actions, permissions
from governance.assurance.testing.models import Finding, ItemResult, Retest, TestException
from governance.foundation.people.own_entries import own_entries, own_items
from governance.kernel.safety.access import not_excluded
from governance.kernel.work.inbox import (
    CONTROLS,
    IN_WINDOW,
    ME,
    InboxDone,
    InboxRow,
    InboxSource,
    end_of,
    item_select,
    shortened,
)


def _exceptions() -> Select[Any]:
    """Select exceptions without a response, except those whose item passed in a later result."""
    e = TestException
    results = select(ItemResult.outcome).where(ItemResult.sample_item_id == e.sample_item_id)
    latest = results.order_by(ItemResult.number.desc()).limit(1).scalar_subquery()
    query = item_select(e, about=e.ref + " of " + Control.ref, detail=e.says, since=e.created_at)
    return query.join(Control, Control.id == e.control_id).where(
        e.response == "", latest.is_distinct_from("passed")
    )


def _findings() -> Select[Any]:
    f = Finding
    query = item_select(
        f,
        parent=f.exception_id,
        about=f.ref + ": " + f.title,
        who=f.raised_by,
        since=f.created_at,
        due=end_of(f.due_on),
    )
    return query.where(f.owner_id == ME, f.closed_at.is_(None), f.remedied_at.is_(None))


def _retests() -> Select[Any]:
    """Select findings fixed by others.

    For an auditor, only those of their engagement during its fieldwork window.
    """
    f, e = Finding, TestException
    query = item_select(
        f,
        parent=f.exception_id,
        about=f.ref + ": " + f.title,
        who=f.remedied_by,
        since=f.remedied_at,
    ).join(e, e.id == f.exception_id)
    fixed = f.closed_at.is_(None) & f.remedied_at.is_not(None)
    by_others = not_excluded(permissions.RETEST, f, ME)
    return query.where(
        fixed, by_others, IN_WINDOW, CONTROLS.is_(None) | (e.control_id == any_(CONTROLS))
    )


def _answered() -> Select[Any]:
    return own_items(TestException, exception_actions.EXCEPTION_ANSWERED, about=TestException.ref)


def _fixed() -> Select[Any]:
    f, entry = Finding, own_entries(exception_actions.FINDING_REMEDIED)
    return _done_finding(entry).join(entry, entry.c.target_id == f.id)


def _retested() -> Select[Any]:
    f, e, r, entry = Finding, TestException, Retest, own_entries(exception_actions.RETESTED)
    query = (
        _done_finding(entry).join(r, r.finding_id == f.id).join(entry, entry.c.target_id == r.id)
    )
    return query.join(e, e.id == f.exception_id).where(
        IN_WINDOW, CONTROLS.is_(None) | (e.control_id == any_(CONTROLS))
    )


def _done_finding(entry: Any) -> Select[Any]:
    f = Finding
    about = f.ref + ": " + f.title
    return item_select(
        f,
        row_id=entry.c.id,
        parent=f.exception_id,
        about=about,
        detail=entry.c.says,
        since=entry.c.at,
    )


def _address(row: InboxRow) -> Mapping[str, Any]:
    return {"exception_id": row.parent}


ANSWERED = InboxDone(
    name="test-exception",
    icon="alert-triangle",
    select=_answered,
    endpoint="testing.exception",
    values=_address,
)
FIXED = InboxDone(
    name="finding",
    icon="clipboard-check",
    select=_fixed,
    endpoint="testing.exception",
    values=_address,
)
RETESTED = InboxDone(
    name="retest", icon="refresh", select=_retested, endpoint="testing.exception", values=_address
)
EXCEPTION = InboxSource(
    name="test-exception",
    group="evidence",
    needs=permissions.MANAGE,
    select=_exceptions,
    icon="alert-triangle",
    verb="Respond",
    title=lambda row: f"Respond to {row.about}",
    detail=lambda row: shortened(row.detail),
    why="you respond for management, and this exception has no response",
    endpoint="testing.exception",
    values=lambda row: {"exception_id": row.id},
    done=(ANSWERED,),
)
FINDING = InboxSource(
    name="finding",
    group="evidence",
    needs=permissions.REMEDY,
    select=_findings,
    icon="clipboard-check",
    verb="Open",
    title=lambda row: f"Fix {row.about}",
    detail=lambda row: f"Raised by {row.who or 'Meridian'}",
    why="you own this finding",
    endpoint="testing.exception",
    values=_address,
    done=(FIXED,),
)
RETEST = InboxSource(
    name="retest",
    group="reviews",
    needs=permissions.RETEST,
    select=_retests,
    icon="refresh",
    verb="Retest",
    title=lambda row: f"Retest {row.about}",
    detail=lambda row: f"Fixed by {row.who or 'Meridian'}",
    why="you can test controls, and another person fixed this one",
    endpoint="testing.exception",
    values=_address,
)
SOURCES = (EXCEPTION, FINDING, RETEST)
