"""Inbox items of the register: agents and MCP servers to recertify."""

from typing import Any

from sqlalchemy import Date, DateTime, Interval, Select, String, cast, func, literal

from governance.foundation.people.own_entries import own_items
from governance.kernel.work.inbox import (
    TODAY,
    InboxDone,
    InboxRow,
    InboxSource,
    end_of,
    item_select,
)
from governance.operations.systems import actions, permissions
from governance.operations.systems.models import AISystem
from governance.operations.systems.queries import ENDS_SOON


def _ending() -> Select[Any]:
    """Select those whose validity ends within 30 days or has ended."""
    s = AISystem
    first = cast(cast(s.valid_until, DateTime()) - literal(ENDS_SOON, Interval()), Date())
    is_over = cast(s.valid_until < TODAY, String())
    query = item_select(
        s,
        place=s.key,
        about=s.name,
        detail=func.concat(s.kind, " ", is_over),
        since=first,
        due=end_of(s.valid_until),
    )
    return query.where(
        s.valid_until.is_not(None), s.retired_at.is_(None), first <= TODAY, s.stage != "proposed"
    )


def _recertified() -> Select[Any]:
    return own_items(AISystem, actions.RECERTIFIED, about=AISystem.name, place=AISystem.key)


def _address(row: InboxRow) -> dict[str, Any]:
    return {"key": row.place}


def _detail(row: InboxRow) -> str:
    if row.detail.endswith("true"):
        return "Its validity has ended. Recertify it or retire it"
    return "Its validity ends soon. Check its tools and permissions"


RECERTIFY = InboxSource(
    name="system-recertification",
    group="reviews",
    needs=permissions.CHANGE,
    select=_ending,
    icon="cpu",
    verb="Recertify",
    title=lambda row: f"Recertify {row.about}",
    detail=_detail,
    why="you can change AI systems, and agents and MCP servers are valid until a day",
    endpoint="systems.recertifying",
    values=_address,
    done=(
        InboxDone(
            name="system-recertified",
            icon="cpu",
            select=_recertified,
            endpoint="systems.recertifying",
            values=_address,
        ),
    ),
)
