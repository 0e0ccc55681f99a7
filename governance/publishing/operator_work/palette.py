"""Queued and failed work in the operator's search, for those who may retry or cancel it."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal, select

from governance.foundation.tenants.models import Tenant
from governance.kernel.manifest import Command, ObjectSearch
from governance.kernel.pages.search_words import has_words, typed
from governance.kernel.work.jobs import WorkFailure, WorkTicket
from governance.publishing.operator_work import permissions


def _find(model: Any, words: str, text: str) -> Select[UUID, str, str]:
    title = func.concat(func.initcap(func.left(model.kind, 1)), func.substr(model.kind, 2))
    query = select(
        model.id, literal("").label("ref"), func.concat(title, " of ", Tenant.name).label("title")
    ).join(Tenant, Tenant.id == model.for_tenant)
    named = has_words(typed(text), model.kind, Tenant.name, Tenant.slug, literal(words))
    return query.where(named).order_by(model.created_at.desc())


def _failed(text: str) -> Select[UUID, str, str]:
    return _find(WorkFailure, "failed work", text)


def _queued(text: str) -> Select[UUID, str, str]:
    return _find(WorkTicket, "queued work waiting", text)


def _address(item_id: UUID, _ref: str) -> dict[str, Any]:
    return {"item_id": item_id}


SOURCES = (
    ObjectSearch("failed work", _failed, "operator_work.item", _address, many="failed work"),
    ObjectSearch("queued work", _queued, "operator_work.item", _address, many="queued work"),
)
COMMANDS = (
    Command(
        "View failed work",
        "operator_work.index",
        permissions.VIEW,
        also="queue retry cancel jobs disks",
    ),
    Command("View backups and restore drills", "operator_work.index", permissions.VIEW),
)
