"""Inbox items of endpoints that Meridian disabled, for those who can enable them again."""

from typing import Any

from sqlalchemy import Select, case

from governance.foundation.people.own_entries import own_items
from governance.foundation.webhooks import actions, permissions
from governance.foundation.webhooks.models import WebhookEndpoint
from governance.kernel.work.inbox import InboxDone, InboxSource, item_select


def _disabled() -> Select[Any]:
    w = WebhookEndpoint
    why = case(
        (w.disabled_reason == "gone", "It answered 410 Gone"),
        else_="No delivery succeeded for 5 days",
    )
    query = item_select(w, about=w.name, detail=why, since=w.disabled_at)
    return query.where(
        w.disabled_at.is_not(None),
        w.removed_at.is_(None),
        w.disabled_reason.in_(("gone", "failing")),
    )


def _handled() -> Select[Any]:
    w = WebhookEndpoint
    query = own_items(w, actions.ENABLED, actions.REMOVED, about=w.name)
    return query.where(w.removed_at.is_(None))


SOURCES = (
    InboxSource(
        name="disabled-webhooks",
        group="incidents",
        needs=permissions.MANAGE,
        select=_disabled,
        icon="webhook",
        verb="Review",
        title=lambda row: f"Webhook endpoint {row.about} was disabled",
        detail=lambda row: f"{row.detail}. Fix the receiver, then enable it and replay.",
        why="you manage webhook endpoints",
        endpoint="webhooks.endpoint",
        values=lambda row: {"endpoint_id": row.id},
        done=(
            InboxDone(
                name="webhooks-handled",
                icon="webhook",
                select=_handled,
                endpoint="webhooks.endpoint",
                values=lambda row: {"endpoint_id": row.parent},
            ),
        ),
    ),
)
