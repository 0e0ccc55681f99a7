"""The actor of a job: the person who requested it, with the role that they have when it runs.

It also has the nightly sweep.
"""

from sqlalchemy import select

from governance.foundation.people import session_actions
from governance.foundation.people.models import Membership
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel.current import Actor
from governance.kernel.data.db import session
from governance.kernel.errors import Forbidden
from governance.kernel.pages import undo
from governance.kernel.work.jobs import WorkItem


def actor_of(item: WorkItem) -> Actor:
    """Return the actor of a work item, in the current transaction's tenant."""
    tenant = directory.tenant_by_id(item.tenant_id)
    if tenant is None:
        raise Forbidden("The tenant of this job no longer exists.")
    base = system_actor_in(tenant.id, tenant.slug, tenant.name)
    if item.requested_by is None or item.kind == "mail":
        return base
    query = select(Membership).where(
        Membership.person_id == item.requested_by, Membership.ended_at.is_(None)
    )
    member = session().scalars(query).one_or_none()
    if member is None:
        return base  # The report of a former member still belongs to the tenant.
    return Actor(
        tenant.id,
        tenant.slug,
        tenant.name,
        member.person_id,
        member.person.name,
        member.role,
        time_zone=tenant.time_zone,
    )


def sweep_sign_ins() -> None:
    """Delete sign-ins that nobody finished and expired offers to undo. Runs nightly."""
    once_a_day_in_each("delete old sign-ins", session_actions.delete_old_sign_ins)
    once_a_day_in_each("delete expired undo offers", undo.forget)
