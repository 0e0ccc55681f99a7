"""Inbox items for owners of data sets that are stale, or whose consent ends soon or ended."""

from typing import Any

from sqlalchemy import Select, case, or_

from governance.kernel.work.inbox import ME, TODAY, InboxRow, InboxSource, end_of, item_select
from governance.operations.datasets import permissions, state_sql
from governance.operations.datasets.models import DataSet, DataSetVersion

VERBS = {
    "consent_soon": "Renew the consent for",
    "consent_expired": "Renew the consent for",
    "stale": "Refresh",
}
DETAILS = {
    "consent_soon": "Consent ends soon. Without it, systems that use the data can't roll out.",
    "consent_expired": "Consent expired. Rollouts of the systems that use it are blocked.",
    "stale": "Its newest record is too old. Rollouts of the systems that use it are blocked.",
}


def _due() -> Select[Any]:
    """Select data sets that need their owner, or everyone who may describe them without one."""
    d, v = DataSet, DataSetVersion
    state = state_sql.state(TODAY)
    item = item_select(
        d,
        about=d.name,
        detail=state,
        since=v.created_at,
        due=end_of(case((state == "stale", state_sql.fresh_until()), else_=v.consent_until)),
    )
    query: Select[Any] = state_sql.with_published(item)
    return query.where(
        d.retired_at.is_(None),
        d.version > 0,
        state.in_(DETAILS),
        or_(d.owner_id == ME, d.owner_id.is_(None)),
    )


def _title(row: InboxRow) -> str:
    return f"{VERBS[row.detail]} {row.about}"


DUE = InboxSource(
    name="data-set",
    group="reviews",
    needs=permissions.EDIT,
    select=_due,
    icon="database",
    verb="Open",
    title=_title,
    detail=lambda row: DETAILS[row.detail],
    why="you own this data set, or nobody does",
    endpoint="datasets.data_set",
    values=lambda row: {"data_set_id": row.id},
)
SOURCES = (DUE,)
