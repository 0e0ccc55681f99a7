"""Inbox items of API keys.

One that expires, a former secret that ends, and all keys together whose secret a former member has
seen.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Interval, Select, String, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from governance.foundation.api_keys import actions, permissions
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.api_keys.queries import is_to_rotate_after
from governance.foundation.people.models import Membership
from governance.foundation.people.own_entries import own_items
from governance.kernel.work.inbox import NOW, InboxDone, InboxRow, InboxSource, item_select

EXPIRES_SOON = timedelta(days=14)
PREVIOUS_ENDS_SOON = timedelta(days=2)
ROTATE_WITHIN = timedelta(days=7)  # From the day when somebody who has seen the key left.
MAX_NAMES_LENGTH = 200
EXPIRES, DIRECTORY, PREVIOUS = "expires", "directory", "previous"
TITLES = {
    EXPIRES: "API key {} expires soon",
    DIRECTORY: "The directory's key {} expires soon",
    PREVIOUS: "The previous secret of API key {} ends soon",
}
DETAILS = {
    EXPIRES: "Create another key, and enter it where this one is used",
    DIRECTORY: "Without a valid key, the directory can't give or end access",
    PREVIOUS: "Anything still using it is denied access from then on",
}


def _needing() -> Select[Any]:
    k, now = ApiKey, NOW
    ends = k.expires_at <= now + literal(EXPIRES_SOON, Interval())
    is_directory = k.scopes.op("@>")(cast(["scim"], JSONB))
    previous = (k.previous_until > now) & (
        k.previous_until <= now + literal(PREVIOUS_ENDS_SOON, Interval())
    )
    why = case((ends & is_directory, DIRECTORY), (ends, EXPIRES), else_=PREVIOUS)
    due = case((ends, k.expires_at), else_=k.previous_until)
    since = func.least(now, k.expires_at - literal(EXPIRES_SOON, Interval()))
    query = item_select(k, about=k.name, place=k.hint, detail=why, since=since, due=due)
    return query.where(_is_live(), ends | previous)


def _is_live() -> ColumnElement[bool]:
    return ApiKey.revoked_at.is_(None) & (ApiKey.expires_at.is_(None) | (ApiKey.expires_at > NOW))


def _to_rotate() -> Select[Any]:
    """Select one row for each former member: the names of the keys, and how many they are."""
    k, m = ApiKey, Membership
    of_member = select(k).where(_is_live(), is_to_rotate_after(m)).correlate(m)
    names = func.string_agg(k.name, aggregate_order_by(literal(", "), func.lower(k.name)))
    query = item_select(
        m,
        about=of_member.with_only_columns(cast(func.count(), String)).scalar_subquery(),
        detail=of_member.with_only_columns(func.left(names, MAX_NAMES_LENGTH)).scalar_subquery(),
        since=m.ended_at,
        due=m.ended_at + literal(ROTATE_WITHIN, Interval()),
    )
    return query.where(m.ended_at.is_not(None), of_member.exists())


def _rotation_title(row: InboxRow) -> str:
    keys = "an API key" if row.about == "1" else f"{row.about} API keys"
    return f"Rotate {keys} that a former member has seen"


def _handled() -> Select[Any]:
    return own_items(ApiKey, actions.ROTATED, actions.REVOKED, about=ApiKey.name, place=ApiKey.hint)


def _address(row: InboxRow) -> dict[str, Any]:
    return {"q": row.place}


SOURCES = (
    InboxSource(
        name="api-keys",
        group="reviews",
        needs=permissions.MANAGE,
        select=_needing,
        icon="key",
        verb="Open",
        title=lambda row: TITLES[row.detail].format(row.about),
        detail=lambda row: DETAILS[row.detail],
        why="you manage API keys",
        endpoint="api_keys.index",
        values=_address,
        done=(
            InboxDone(
                name="api-keys-handled",
                icon="key",
                select=_handled,
                endpoint="api_keys.index",
                values=_address,
            ),
        ),
    ),
    InboxSource(
        name="api-keys-to-rotate",
        group="reviews",
        needs=permissions.MANAGE,
        select=_to_rotate,
        icon="key",
        verb="Open",
        title=_rotation_title,
        detail=lambda row: row.detail,
        why="you manage API keys",
        endpoint="api_keys.index",
        values=lambda _row: {"state": "rotate"},
    ),
)
