"""Of the people: changes to sign-in that another admin requested."""

from typing import Any

from sqlalchemy import Select, literal

from governance.foundation.people import permissions
from governance.foundation.people.models import ConnectionChange
from governance.foundation.people.queries import name_of
from governance.foundation.people.second_person import may_approve
from governance.kernel.inbox import ME, NOW, InboxSource, item_select, requested


def _connection_changes() -> Select[Any]:
    """Those that passed their test, or need none."""
    c = ConnectionChange
    query = item_select(c, about=literal(""), who=name_of(c.requested_by), detail=c.reason, since=c.created_at, due=c.expires_at)
    ready = c.connection_id.is_(None) | (c.test["passed"].as_boolean())
    return query.where(c.state == "requested", c.expires_at > NOW, ready, may_approve(c.requested_by, c.created_at, me=ME))


SIGN_IN = InboxSource(
    name="sign-in", group="approvals", needs=permissions.CONNECTION, select=_connection_changes, icon="login-2", verb="Review",
    title=lambda _: "Review a change to sign-in", detail=requested,
    why="two people change how everyone signs in, and you can be the second",
    endpoint="connections.change", values=lambda row: {"connection_change_id": row.id},
)  # fmt: skip
SOURCES = (SIGN_IN,)
