"""Founding a tenant and changing its settings; which work domains lead to it."""

import re
from uuid import UUID

from sqlalchemy import delete, select

from governance.audit import sealing
from governance.audit.record import record
from governance.audit.registry import action
from governance.kernel import current
from governance.kernel.db import session, transaction
from governance.kernel.errors import DomainError, Invalid
from governance.tenants.models import EmailDomain, Tenant

FOUNDED = action("tenant.founded", "founded the tenant", fields="slug name kind")
CHANGED = action("tenant.settings.changed", "changed the tenant's settings", fields="name region time_zone classification unit audience")
DOMAINS = action("tenant.domains.changed", "changed the work domains", fields="added removed")

DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


class SlugTaken(DomainError):
    pass


class DomainTaken(DomainError):
    pass


def found(slug: str, name: str, *, kind: str = "customer", **settings: str) -> Tenant:
    """Make a tenant with its keys. Opens transactions of its own: the first rows belong to no tenant yet."""
    with transaction():
        if session().scalar(select(Tenant.id).where(Tenant.slug == slug)):
            raise SlugTaken(f"The short name {slug} is taken.", field="slug")
        tenant = Tenant(slug=slug, name=name, kind=kind, **settings)
        session().add(tenant)
        session().flush()
        session().expunge(tenant)
    with current.acting_as(founder(tenant.id, slug, name)), transaction():
        sealing.make_tenant_keys()
        record(FOUNDED, tenant, slug=slug, name=name, kind=kind)
    return tenant


def founder(tenant_id: UUID, slug: str, name: str) -> current.Actor:
    """The console itself, acting inside a tenant: founding, schedules, the demo's set-up."""
    return current.Actor(tenant_id, slug, name, None, "The console", "admin", kind="job")


def change_settings(tenant: Tenant, **settings: str) -> None:
    before = {name: getattr(tenant, name) for name in settings}
    for name, value in settings.items():
        setattr(tenant, name, value)
    record(CHANGED, tenant, before=before, after=settings)


def set_domains(tenant: Tenant, wanted: set[str]) -> None:
    """Replace the work domains; one that leads to another tenant is refused by name."""
    wanted = {domain.strip().lower() for domain in wanted if domain.strip()}
    if bad := sorted(d for d in wanted if not DOMAIN.fullmatch(d)):
        raise Invalid(f"{bad[0]} is not a domain such as acme.example.", field="domains")
    held = {d.domain: d for d in session().scalars(select(EmailDomain).where(EmailDomain.domain.in_(wanted)))}
    if taken := [d for d, row in held.items() if row.for_tenant != tenant.id]:
        raise DomainTaken(f"{taken[0]} already leads to another tenant. Ask the operator.", field="domains")
    present = set(session().scalars(select(EmailDomain.domain).where(EmailDomain.for_tenant == tenant.id)))
    session().execute(delete(EmailDomain).where(EmailDomain.for_tenant == tenant.id, EmailDomain.domain.in_(present - wanted)))
    session().add_all(EmailDomain(domain=domain, for_tenant=tenant.id) for domain in sorted(wanted - present))
    if wanted != present:
        record(DOMAINS, tenant, added=sorted(wanted - present), removed=sorted(present - wanted))
