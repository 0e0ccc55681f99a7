"""The acting person's own entries of the audit log, as a part of what their inbox shows as done."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, literal, select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.registry import Action
from governance.foundation.people.models import Membership
from governance.kernel.inbox import DONE_SINCE, ME, TENANT


def own_entries(*actions: Action) -> Any:
    """A subquery with the columns id, target_id, at and says: what they did lately by one of these
    actions.
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
