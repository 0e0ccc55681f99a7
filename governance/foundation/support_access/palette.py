"""Support access in the operator's search: requests by tenant, from the operator's own log.

The grants themselves are rows of the tenants, which no search of the operator reads.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal, select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.support_access import actions, permissions
from governance.foundation.tenants.models import Tenant
from governance.kernel import current
from governance.kernel.manifest import ObjectSearch
from governance.kernel.pages.search_words import has_words, typed
from governance.kernel.safety.access import allowed


def _find(text: str) -> Select[UUID, str, str] | None:
    who, e = current.actor(), AuditEntry
    if not allowed(permissions.REQUEST):
        return None
    title = func.concat("Support access to ", Tenant.name, ", ", func.to_char(e.at, "YYYY-MM-DD"))
    query = select(e.id, Tenant.slug, title.label("title"))
    query = query.join(Tenant, Tenant.slug == e.facts["tenant"].astext)
    mine = e.tenant_id == who.tenant_id, e.action == actions.REQUESTED.name
    named = has_words(typed(text), literal("support access grant"), Tenant.name, Tenant.slug)
    return query.where(*mine, named).order_by(e.at.desc())


def _address(_entry_id: UUID, slug: str) -> dict[str, Any]:
    return {"slug": slug}


support_requests = ObjectSearch(
    "support request", _find, "operator_desk.tenant", _address, many="support requests"
)
