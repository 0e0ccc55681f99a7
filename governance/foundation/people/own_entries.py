"""The acting person's own entries of the audit log, as a part of what their inbox shows as done."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, case, literal, select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.registry import Action
from governance.foundation.people.models import Membership
from governance.kernel.work.inbox import DONE_SINCE, ME, TENANT, item_select


def own_items(
    model: Any, *actions: Action, about: Any, parent: Any = None, place: Any = None
) -> Select[Any]:
    """Select the rows of an InboxDone: recent actions of theirs on rows of `model`.

    `parent` is the row itself unless given.
    """
    entry = own_entries(*actions)
    query = item_select(
        model,
        row_id=entry.c.id,
        parent=model.id if parent is None else parent,
        place=place,
        about=about,
        detail=entry.c.says,
        since=entry.c.at,
    )
    return query.join(entry, entry.c.target_id == model.id)


def own_entries(*actions: Action) -> Any:
    """Return a subquery of their recent entries of these actions.

    Its columns are id, target_id, at and says.
    """
    e, m = AuditEntry, Membership
    me = select(m.pseudonym).where(m.tenant_id == TENANT, m.person_id == ME).scalar_subquery()
    query = select(e.id, e.target_id, e.at, _says(actions).label("says"))
    mine = (e.tenant_id == TENANT) & (e.actor == me) & (e.at > DONE_SINCE)
    return query.where(
        mine, e.action.in_([each.name for each in actions]), e.outcome == "done"
    ).subquery()


def _says(actions: Sequence[Action]) -> Any:
    return case(
        {each.name: literal(f"You {each.says}") for each in actions}, value=AuditEntry.action
    )
