"""Tenants in the operator's search, with the actions on each."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from governance.foundation.support_access import permissions as support
from governance.foundation.tenants import permissions
from governance.foundation.tenants.models import Tenant
from governance.kernel.manifest import Command, ObjectCommand, ObjectSearch
from governance.kernel.pages.search_words import has_words, typed
from governance.publishing.tenant_exports import permissions as exports

TENANT, SUSPENDED, FORMER = "tenant", "suspended tenant", "former tenant"


def _named(text: str) -> Select[UUID, str, str]:
    t = Tenant
    query = select(t.id, t.slug, t.name).where(t.kind != "operator")
    return query.where(has_words(typed(text), t.name, t.slug)).order_by(t.name)


def _find(text: str) -> Select[UUID, str, str]:
    return _named(text).where(Tenant.status == "active")


def _find_suspended(text: str) -> Select[UUID, str, str]:
    return _named(text).where(Tenant.status == "suspended")


def _find_former(text: str) -> Select[UUID, str, str]:
    """Find tenants that are being deleted, or were deleted."""
    return _named(text).where(Tenant.status.not_in(("active", "suspended")))


def _address(_tenant_id: UUID, slug: str) -> dict[str, Any]:
    return {"slug": slug}


def _verb(kind: str, label: str, endpoint: str, needs: Any, word: str) -> ObjectCommand:
    return ObjectCommand(kind, label, endpoint, "slug", needs, word=word)


SOURCES = (
    ObjectSearch(TENANT, _find, "operator_desk.tenant", _address),
    ObjectSearch(SUSPENDED, _find_suspended, "operator_desk.tenant", _address),
    ObjectSearch(FORMER, _find_former, "tenant_offboarding.offboarding", _address),
)
COMMANDS = (
    Command("Create tenant", "operator_tenants.new", permissions.FOUND, also="new customer"),
    Command(
        "Suspend a tenant",
        "operator_overview.overview",
        permissions.SUSPEND,
        also="resume customer",
    ),
    _verb(TENANT, "Suspend {title}…", "operator_desk.suspension", permissions.SUSPEND, "suspend"),
    _verb(SUSPENDED, "Resume {title}…", "operator_desk.resumption", permissions.SUSPEND, "resume"),
    _verb(TENANT, "Export {title}…", "operator_desk.exporting", exports.START, "export"),
    _verb(
        TENANT, "Request access to {title}…", "operator_support.asking", support.REQUEST, "access"
    ),
)
