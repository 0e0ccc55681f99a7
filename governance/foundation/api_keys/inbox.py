"""API keys that need somebody: one that expires, a former secret that ends, one that left with a
member. The first of these that is true of a key says why it is listed.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import Interval, Select, case, cast, func, literal
from sqlalchemy.dialects.postgresql import JSONB

from governance.foundation.api_keys import actions, permissions
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.api_keys.queries import is_known_to_former_members
from governance.foundation.people.own_entries import own_items
from governance.kernel.inbox import NOW, InboxDone, InboxRow, InboxSource, item_select

EXPIRES_SOON = timedelta(days=14)
PREVIOUS_ENDS_SOON = timedelta(days=2)
EXPIRES, DIRECTORY, PREVIOUS, SEEN = "expires", "directory", "previous", "seen"
TITLES = {
    EXPIRES: "API key {} expires soon",
    DIRECTORY: "The directory's key {} expires soon",
    PREVIOUS: "The previous secret of API key {} ends soon",
    SEEN: "A former member has seen API key {}",
}
DETAILS = {
    EXPIRES: "Create another key, and enter it where this one is used",
    DIRECTORY: "Without a valid key, the directory can't give or end access",
    PREVIOUS: "Anything still using it is denied access from then on",
    SEEN: "Rotate it, and enter the new secret in the directory",
}


def _needing() -> Select[Any]:
    k, now = ApiKey, NOW
    ends = k.expires_at <= now + literal(EXPIRES_SOON, Interval())
    is_directory = k.scopes.op("@>")(cast(["scim"], JSONB))
    previous = (k.previous_until > now) & (
        k.previous_until <= now + literal(PREVIOUS_ENDS_SOON, Interval())
    )
    seen = is_known_to_former_members()
    why = case((ends & is_directory, DIRECTORY), (ends, EXPIRES), (previous, PREVIOUS), else_=SEEN)
    due = case((ends, k.expires_at), (previous, k.previous_until))
    since = func.least(now, k.expires_at - literal(EXPIRES_SOON, Interval()))
    query = item_select(k, about=k.name, place=k.hint, detail=why, since=since, due=due)
    is_live = k.revoked_at.is_(None) & (k.expires_at.is_(None) | (k.expires_at > now))
    return query.where(is_live, ends | previous | seen)


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
)
