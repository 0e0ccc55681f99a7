"""Denied acts in the log, without flooding it: denied requests are counted (denied_actions.py).

A request that is denied (403), that comes with a wrong key (401), or whose form was forged counts
for its tenant, after its own transaction. When its hour is over, the count becomes one entry.
"""

import structlog
from flask import Response, g, request

from governance.foundation.audit.personal_field_encryption import pseudonym
from governance.foundation.logbook import denied_actions
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError
from governance.kernel.web import bearer
from governance.kernel.web.identity import identity
from governance.kernel.web.responses import IS_FORGED, logged_path

UNAUTHORIZED, FORBIDDEN = 401, 403
log = structlog.get_logger("denied_acts")


def count_denied(response: Response) -> Response:
    """Count the request, after its own transaction, if it was denied to someone of a tenant."""
    kind = _kind(response)
    if kind:
        try:
            _count(kind)
        except Exception:  # The answer already denies the request, and must reach the client.
            log.exception("denied act not counted", route=logged_path())
    return response


def _kind(response: Response) -> str:
    if response.status_code == UNAUTHORIZED and request.headers.get("Authorization"):
        return "wrong_key"
    if response.status_code == FORBIDDEN:
        return "forged_form" if g.get(IS_FORGED) else "forbidden"
    return ""


def _count(kind: str) -> None:
    slug = _tenant_slug(kind)
    tenant_id = identity.tenant_id()(slug) if slug else None
    if tenant_id is None:
        return
    with transaction(tenant_id=tenant_id):
        tenant = session().get_one(Tenant, tenant_id)
        with current.acting_as(system_actor_in(tenant.id, tenant.slug, tenant.name)):
            denied_actions.count(tenant_id, kind, _who(), logged_path())


def _who() -> str:
    """Return the pseudonym of the person or key, or the IP address of an unknown client."""
    try:
        who = g.get("actor") or identity.identify()()
    except DomainError:
        who = None
    known = who and (who.person_id or who.key_id)
    return pseudonym(known) if known else current.origin().network or "unknown"


def _tenant_slug(kind: str) -> str:
    """Return the slug of the tenant whose log it belongs to, from the address or the key."""
    slug: str = (request.view_args or {}).get("tenant", "")
    if slug or kind != "wrong_key":
        return slug or (g.actor.tenant_slug if g.get("actor") else "")
    try:
        return bearer.parse(request.headers.get("Authorization", "")).tenant
    except DomainError:
        return ""
