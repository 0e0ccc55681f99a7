"""Reads of the directory. Slugs never change, so a process may cache which tenant one names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from governance.foundation.tenants.models import EmailDomain, Tenant
from governance.kernel.data.db import info, session, transaction
from governance.kernel.errors import TenantSuspended
from governance.kernel.formatting import long_day


@dataclass(frozen=True, slots=True)
class TenantEntry:
    id: UUID
    slug: str
    name: str


# A suspended tenant is still known: its people, keys and products learn that it is suspended.
KNOWN_STATES = ("active", "suspended", "offboarding")
SUSPENDED_STATES = KNOWN_STATES[1:]
# From here on nothing acts in it any more; its slug stays taken.
GONE_STATES = ("deleting", "deleted")
OPERATOR_ZONE = "the operator's time zone"  # A key in a transaction's info.
SLUG = re.compile(r"[a-z][a-z0-9-]{1,40}")
_known: dict[str, UUID] = {}


def tenant_id(slug: str) -> UUID | None:
    """Return the id of the slug's tenant, cached per process; an unknown slug is read each time."""
    if not SLUG.fullmatch(slug):
        return None
    if slug not in _known:
        with transaction(read_only=True):
            found = session().scalar(
                select(Tenant.id).where(Tenant.slug == slug, Tenant.status.in_(KNOWN_STATES))
            )
        if found is None:
            return None
        _known[slug] = found
    return _known[slug]


def forget() -> None:
    """Clear the cache, for tests, whose tenants come and go."""
    _known.clear()


def tenant_by_id(wanted: UUID) -> Tenant | None:
    return session().get(Tenant, wanted)


def tenant_by_slug(slug: str) -> Tenant | None:
    if not SLUG.fullmatch(slug):
        return None
    return (
        session()
        .scalars(select(Tenant).where(Tenant.slug == slug, Tenant.status == "active"))
        .one_or_none()
    )


def any_tenant_by_slug(slug: str) -> Tenant | None:
    """Return the tenant of that slug in any state, for the operator's pages."""
    if not SLUG.fullmatch(slug):
        return None
    return session().scalars(select(Tenant).where(Tenant.slug == slug)).one_or_none()


def suspended_tenant(slug: str, domain: str = "") -> Tenant | None:
    """Return the suspended tenant of the slug, or of the work domain."""
    of = Tenant.slug == slug
    if domain and "\0" not in domain:
        wanted = select(EmailDomain.for_tenant).where(EmailDomain.domain == domain.lower())
        of |= Tenant.id.in_(wanted)
    query = select(Tenant).where(of, Tenant.status.in_(SUSPENDED_STATES))
    return session().scalars(query.limit(1)).one_or_none()


def check_not_suspended(slug: str, domain: str = "") -> None:
    """Raise TenantSuspended for the slug, or the work domain, of a suspended tenant."""
    if (found := suspended_tenant(slug, domain)) is not None:
        raise suspended(found.slug, found.name, found.deletes_at, found.time_zone)


def suspended(
    slug: str, name: str, deletes_at: datetime | None = None, time_zone: str = "UTC"
) -> TenantSuspended:
    """Return the error for people, keys and products, with the day of deletion if one is set."""
    if deletes_at is not None:
        day = long_day(deletes_at.astimezone(ZoneInfo(time_zone)).date())
        return TenantSuspended(
            f"{name} is suspended by the operator of Meridian, and all of its data here will be"
            f" deleted permanently on {day}. If you still need it, an admin can sign in before then"
            " to download an export of everything. If there is none, ask the operator to make one.",
            slug=slug,
        )
    return TenantSuspended(
        f"{name} is suspended by the operator of Meridian. Its data is kept and nothing was"
        " deleted. Ask the operator when it can be used again. Its admins can sign in to download an"
        " export of everything.",
        slug=slug,
    )


def tenant_of_domain(domain: str) -> Tenant | None:
    """Return the tenant whose provider a work address leads to."""
    if "\0" in domain:
        return None
    query = select(Tenant).join(EmailDomain, EmailDomain.for_tenant == Tenant.id)
    return (
        session()
        .scalars(query.where(EmailDomain.domain == domain.lower(), Tenant.status == "active"))
        .one_or_none()
    )


def domains_of(tenant: UUID) -> Sequence[str]:
    query = select(EmailDomain.domain).where(EmailDomain.for_tenant == tenant)
    return session().scalars(query.order_by(EmailDomain.domain)).all()


def all_tenants() -> Sequence[Tenant]:
    return session().scalars(select(Tenant).order_by(Tenant.name)).all()


def living_tenants() -> Sequence[Tenant]:
    """Return every tenant except those that are deleted or being deleted: in those nothing acts."""
    query = select(Tenant).where(Tenant.status.not_in(GONE_STATES)).order_by(Tenant.name)
    return session().scalars(query).all()


def operator_time_zone() -> str:
    """Return the time zone of the operator, whose months count money; UTC without an operator.

    Read once in a transaction.
    """
    known: str | None = info().get(OPERATOR_ZONE)
    if known is None:
        query = select(Tenant.time_zone).where(Tenant.kind == "operator")
        zone = session().scalar(query.order_by(Tenant.created_at).limit(1))
        known = info()[OPERATOR_ZONE] = zone or "UTC"
    return known
