"""The inbox items of the change log: drafts to read."""

from typing import Any

from sqlalchemy import Select

from governance.kernel.work.inbox import InboxSource, item_select
from governance.publishing.change_log import permissions
from governance.publishing.change_log.models import CustomerChange


def _drafts() -> Select[Any]:
    c = CustomerChange
    query = item_select(c, about=c.title, detail=c.comment, since=c.created_at)
    return query.where(c.state == "draft")


DRAFT = InboxSource(
    name="customer-change",
    group="reviews",
    needs=permissions.APPROVE,
    select=_drafts,
    icon="message",
    verb="Review",
    title=lambda row: f"Tell customers: {row.about}",
    detail=lambda row: f"Returned: {row.detail}" if row.detail else "A draft for the change log",
    why="you approve or write what customers are told about changes",
    endpoint="change_log.change",
    values=lambda row: {"customer_change_id": row.id},
)
SOURCES = (DRAFT,)
