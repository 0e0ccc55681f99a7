"""The actor that an operator is in a tenant that gave them access, determined at each request."""

from datetime import timedelta

from flask import current_app, request

from governance.foundation.support_access import actions, permissions, queries
from governance.foundation.support_access.models import SupportGrant
from governance.foundation.tenants.queries import tenant_by_id
from governance.kernel import clock
from governance.kernel.current import Actor, SupportAccess
from governance.kernel.data.db import session
from governance.kernel.errors import Forbidden
from governance.kernel.formatting import plural
from governance.kernel.web.responses import SAFE

REMEMBERED = timedelta(days=1)  # During this time a former visitor sees that it ended.


class SupportEnded(Forbidden):
    """The access was there and is over."""

    title = "Your access has ended"


def visitor(operator: Actor) -> Actor | None:
    """Return the operator as an actor of the current tenant, by a grant that works now.

    Only on the tenant's pages; None for everybody without a grant. Raises SupportEnded for some
    time after it ended, so that somebody in the middle of a form knows what happened.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "scope", "") != "tenant" or operator.person_id is None:
        return None
    if operator.role not in permissions.REQUEST.roles:
        return None
    writes = request.method not in SAFE and getattr(view, "writes", None) is not False
    row = queries.usable_grant(operator.person_id)
    if row is not None and writes and row.may_change:
        row = queries.usable_grant(operator.person_id, lock=True)
    if row is None or row.role != operator.role:
        _tell_former(operator)
        return None
    return _actor(operator, row)


def _tell_former(operator: Actor) -> None:
    past = queries.past_grant(operator.person_id) if operator.person_id else None
    if past is None or past.ends_at is None or clock.now() - past.ends_at > REMEMBERED:
        return
    ago = max(0, round((clock.now() - past.ends_at).total_seconds() / 60))
    raise SupportEnded(
        f"Your access to this tenant ended {plural(ago, 'minute')} ago. Nothing was saved. Request"
        " access again if you still need it."
    )


def _actor(operator: Actor, row: SupportGrant) -> Actor | None:
    tenant = tenant_by_id(session().info["tenant_id"])
    if tenant is None or tenant.status != "active" or row.ends_at is None:
        return None
    return Actor(
        tenant.id,
        tenant.slug,
        tenant.name,
        operator.person_id,
        operator.name,
        actions.role_of(may_change=row.may_change),
        kind="operator",
        email=operator.email,
        session_id=operator.session_id,
        authenticated_at=operator.authenticated_at,
        time_zone=tenant.time_zone,
        support=SupportAccess(row.id, row.ends_at, row.feature, row.may_change, operator),
    )
