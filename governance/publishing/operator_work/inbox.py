"""Inbox items for backups and drills that failed, are too old or missing, and for keys that are
due.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import Interval, Select, literal, select
from sqlalchemy.orm import aliased

from governance.foundation.audit.models import AuditEntry, LogHead
from governance.foundation.tenants.models import Tenant
from governance.kernel.work.inbox import NOW, TENANT, InboxRow, InboxSource, item_select
from governance.publishing.operator_work import permissions
from governance.publishing.operator_work.backup_records import ACTIONS, MAX_AGE, NAMES, Kind
from governance.publishing.operator_work.key_ages import KINDS, WARNED_BEFORE
from governance.publishing.operator_work.models import KeyAge

# How soon after its start an installation has to record the first one.
FIRST_WITHIN: dict[Kind, timedelta] = {"backup": timedelta(days=2), "drill": timedelta(days=30)}
COMMANDS: dict[Kind, str] = {"backup": "governance backup", "drill": "governance drill"}


def _due(kind: Kind) -> Select[Any]:
    """Select the newest entry of the kind, if it failed or is too old."""
    e, later = AuditEntry, aliased(AuditEntry)
    success, failure = (each.name for each in ACTIONS[kind])
    newer = select(later.id).where(
        later.tenant_id == TENANT, later.action.in_((success, failure)), later.at > e.at
    )
    ends = e.at + literal(MAX_AGE[kind], Interval())
    query = item_select(e, about=e.facts["problem"].astext, detail=e.action, since=e.at, due=ends)
    is_due = (e.action == failure) | (ends <= NOW)
    return query.where(e.action.in_((success, failure)), is_due, ~newer.exists())


def _missing(kind: Kind) -> Select[Any]:
    names = [each.name for each in ACTIONS[kind]]
    recorded = select(AuditEntry.id).where(
        AuditEntry.tenant_id == TENANT, AuditEntry.action.in_(names)
    )
    due = LogHead.created_at + literal(FIRST_WITHIN[kind], Interval())
    query = item_select(LogHead, about=LogHead.origin, since=due, due=due)
    return query.where(due <= NOW, ~recorded.exists())


def _title(kind: Kind) -> Any:
    failure = ACTIONS[kind][1].name
    return lambda row: (
        f"The last {NAMES[kind]} failed"
        if row.detail == failure
        else f"The last {NAMES[kind]} is too old"
    )


def _detail(kind: Kind) -> Any:
    def words(row: InboxRow) -> str:
        return row.about or f"Run it, and record it with {COMMANDS[kind]}"

    return words


def _source(name: str, kind: Kind, query: Any, title: Any, detail: Any) -> InboxSource:
    return InboxSource(
        name=name,
        group="incidents",
        needs=permissions.MANAGE,
        select=lambda: query(kind),
        icon="database",
        verb="Open",
        title=title,
        detail=detail,
        why="you look after the installation",
        endpoint="operator_work.index",
        values=lambda _row: {},
    )


def _sources(kind: Kind) -> tuple[InboxSource, InboxSource]:
    missing = f"No {NAMES[kind]} was ever recorded"
    how = f"Run it, and record it with {COMMANDS[kind]}"
    return (
        _source(f"{kind}-due", kind, _due, _title(kind), _detail(kind)),
        _source(f"{kind}-missing", kind, _missing, lambda _row: missing, lambda _row: how),
    )


def _key_due() -> Select[Any]:
    """Select keys that are due within a month or overdue, and the tenants that they belong to."""
    k = KeyAge
    query = item_select(k, about=k.kind, who=Tenant.name, since=k.since, due=k.due_at)
    warned_at = k.due_at - literal(WARNED_BEFORE, Interval())
    return query.join(Tenant, Tenant.id == k.customer_id).where(warned_at <= NOW)


KEYS = InboxSource(
    name="key-due",
    group="reviews",
    needs=permissions.MANAGE,
    select=_key_due,
    icon="key",
    verb="Open",
    title=lambda row: f"{KINDS[row.about].name} of {row.who}: replace it",
    detail=lambda row: KINDS[row.about].purpose.capitalize(),
    why="you look after the installation",
    endpoint="operator_work.keys",
    values=lambda _row: {},
)
SOURCES = (*_sources("backup"), *_sources("drill"), KEYS)
