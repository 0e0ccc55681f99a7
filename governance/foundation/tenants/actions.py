"""Create a tenant, and change its settings and work domains."""

import re
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.events import TimeZoneChanged
from governance.foundation.tenants.models import EmailDomain, Tenant, TenantTimeZone
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.intervals import whole_minute
from governance.kernel.work.events import publish

TENANT_CREATED = action(
    "tenant.created",
    "created the tenant",
    target="Tenant",
    activity="create",
    severity="medium",
    event_class="entity_management",
    fields="slug name kind",
)
CHANGED = action(
    "tenant.settings.changed",
    "changed the tenant's settings",
    target="Tenant",
    activity="update",
    severity="low",
    event_class="entity_management",
    fields="name region time_zone classification unit audience",
)
DOMAINS = action(
    "tenant.domains.changed",
    "changed the tenant's work domains",
    target="Tenant",
    activity="update",
    severity="medium",
    event_class="entity_management",
    fields="added removed",
)

DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
MAX_WORK_DOMAINS = 50


class SlugTaken(DomainError):
    pass


class DomainTaken(DomainError):
    pass


def create_tenant(
    slug: str, name: str, *, kind: str = "customer", by: UUID | None = None, **settings: str
) -> Tenant:
    """Create a tenant with its keys, in a transaction of its own: both, or nothing.

    `by` is the operator who requests it.
    """
    tenant_id = uuid7()
    who = current.Actor(
        tenant_id, slug, name, by, "Meridian", "admin", kind="operator" if by else "job"
    )
    with current.acting_as(who), transaction():
        tenant = add_tenant(tenant_id, slug, name, kind=kind, **settings)
        session().flush()
        session().expunge(tenant)
    return tenant


def add_tenant(
    tenant_id: UUID, slug: str, name: str, *, kind: str = "customer", **settings: str
) -> Tenant:
    """Create a tenant with its keys, in the current transaction, which already acts in it."""
    tenant = Tenant(id=tenant_id, slug=slug, name=name, kind=kind, **settings)
    _add(tenant)
    personal_field_encryption.make_tenant_keys()
    record(TENANT_CREATED, tenant, slug=slug, name=name, kind=kind)
    session().refresh(tenant)
    _begin_time_zone(tenant.time_zone)
    return tenant


def _add(tenant: Tenant) -> None:
    try:
        with session().begin_nested():
            session().add(tenant)
            session().flush()
    except IntegrityError as error:
        raise SlugTaken(
            f"The slug {tenant.slug} is already in use. Choose another.", field="slug"
        ) from error


def change_settings(tenant: Tenant, *, seen: str | None = None, **settings: str) -> None:
    """Save the settings.

    `seen` is the fingerprint of those that the form was opened with; raises Stale if it differs.
    """
    session().refresh(tenant, with_for_update=True)
    before = {name: getattr(tenant, name) for name in settings}
    if seen is not None and seen != tenant.mark:
        changed = {
            name: (settings[name], now) for name, now in before.items() if settings[name] != now
        }
        raise Stale(
            "Someone else changed these settings while you were editing. Review the differences,"
            " then save again.",
            changed,
        )
    if settings == before:
        return
    for name, value in settings.items():
        setattr(tenant, name, value)
    record(CHANGED, tenant, before=before, after=settings)
    if settings.get("time_zone", before.get("time_zone")) != before.get("time_zone"):
        _begin_time_zone(tenant.time_zone)
        publish(TimeZoneChanged(tenant.time_zone))


def _begin_time_zone(zone: str) -> None:
    """Begin a period with this zone at the current minute, in the acting tenant.

    Of two changes within one minute the later one counts.
    """
    since = whole_minute(clock.now())
    latest = session().scalars(
        select(TenantTimeZone).order_by(TenantTimeZone.since.desc()).limit(1)
    )
    period = latest.one_or_none()
    if period is not None and period.since == since:
        period.zone = zone
    elif period is None or period.zone != zone:
        session().add(TenantTimeZone(since=since, zone=zone))


def check_domains(tenant: Tenant, wanted: set[str]) -> set[str]:
    """Return the domains as they are stored.

    Raises for one that isn't a domain or leads to another tenant, and names it.
    """
    return _checked_domains(wanted, tenant.id)


def check_free_domains(wanted: set[str]) -> None:
    """Raise as check_domains() does, before the tenant exists."""
    _checked_domains(wanted, None)


def _checked_domains(wanted: set[str], tenant_id: UUID | None) -> set[str]:
    wanted = {domain.strip().lower() for domain in wanted if domain.strip()}
    if bad := sorted(d for d in wanted if not DOMAIN.fullmatch(d)):
        raise Invalid(
            f"{bad[0][:80]} isn't a valid domain. Enter one such as acme.example.", field="domains"
        )
    if len(wanted) > MAX_WORK_DOMAINS:
        raise Invalid(
            f"You entered {len(wanted)} work domains. A tenant can have up to {MAX_WORK_DOMAINS}.",
            field="domains",
        )
    held = {
        d.domain: d
        for d in session().scalars(select(EmailDomain).where(EmailDomain.domain.in_(wanted)))
    }
    if taken := sorted(d for d, row in held.items() if row.for_tenant != tenant_id):
        raise DomainTaken(
            f"{taken[0]} already belongs to another tenant. Ask the operator.", field="domains"
        )
    return wanted


def set_domains(tenant: Tenant, wanted: set[str]) -> None:
    """Replace the work domains."""
    wanted = check_domains(tenant, wanted)
    present = set(
        session().scalars(select(EmailDomain.domain).where(EmailDomain.for_tenant == tenant.id))
    )
    session().execute(
        delete(EmailDomain).where(
            EmailDomain.for_tenant == tenant.id, EmailDomain.domain.in_(present - wanted)
        )
    )
    session().add_all(
        EmailDomain(domain=domain, for_tenant=tenant.id) for domain in sorted(wanted - present)
    )
    if wanted != present:
        record(DOMAINS, tenant, added=sorted(wanted - present), removed=sorted(present - wanted))
