"""The ages of keys: the installation's, and each tenant's.

note_ages()    the hourly job: read each tenant in its own transaction, and write the ages into
               the operator's tenant
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cryptography import x509
from sqlalchemy import delete, func, select

from governance.foundation.audit.models import AuditEntry, LogKey
from governance.foundation.privacy.rotation import ROTATED as KEK_ROTATED
from governance.foundation.tenants.for_each_tenant import in_each
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import any_tenant_by_slug, living_tenants
from governance.foundation.tenants.system_actor import system_actor_in
from governance.foundation.webhooks.actions import ROTATED as SECRET_ROTATED
from governance.foundation.webhooks.models import WebhookEndpoint
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.web.identity import OPERATOR_SLUG
from governance.operations.decisions.models import BundleKey
from governance.publishing.operator_work.models import KeyAge
from governance.publishing.reports.models import SigningKey
from governance.publishing.reports.seals.models import (
    ISSUED,
    CertificateAuthority,
    SealCertificate,
)

INSTALLATIONS = frozenset({"kek", "report", "authority"})
MAX_LISTED = 100
YEAR = timedelta(days=365)
WARNED_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class KindOfKey:
    """A kind of key. `lasts` is how long one is used.

    `lasts` is None if a certificate states it, or if nothing has to be done. `remedy` says who
    replaces the key and how, with {slug} for the tenant's.
    """

    name: str
    purpose: str
    remedy: str
    lasts: timedelta | None = None
    is_command: bool = True


KINDS = {
    "kek": KindOfKey(
        "Installation's key", "encrypts all other keys", "governance keys rotate-kek", 2 * YEAR
    ),
    "report": KindOfKey(
        "Report signing key",
        "signs reports of all tenants",
        "Keep it. There is no command to replace it yet.",
        is_command=False,
    ),
    "authority": KindOfKey(
        "Certificate authority",
        "issues the certificates that seal PDFs",
        "There is no command to replace it yet. Plan it before it ends.",
        is_command=False,
    ),
    "log": KindOfKey(
        "Log signing key",
        "signs checkpoints of the audit log",
        "governance audit rotate-key {slug}",
        YEAR,
    ),
    "bundle": KindOfKey(
        "Bundle key",
        "signs policy bundles for products",
        "governance keys rotate-bundle-key {slug}",
        YEAR,
    ),
    "seal": KindOfKey(
        "Seal certificate",
        "seals PDFs that auditors download",
        "Issued ones are renewed automatically. The tenant's admins upload their own: Settings,"
        " Reports.",
        is_command=False,
    ),
    "webhook": KindOfKey(
        "Webhook secret",
        "signs messages to the tenant's systems (the oldest one)",
        "The tenant's admins create a new secret: Settings, Webhooks.",
        YEAR,
        is_command=False,
    ),
}


@dataclass(frozen=True, slots=True)
class Age:
    kind: str
    since: datetime
    due_at: datetime | None


def note_ages() -> None:
    """Record the ages of all keys. If a tenant can't be read, log it and keep its last ages."""
    home = _home()
    if home is None:
        return
    found: dict[UUID, list[Age]] = {}

    def look() -> None:
        with transaction(read_only=True):
            found[current.actor().tenant_id] = list(_ages_of_tenant())

    in_each(look, "ages of keys not read")
    with current.acting_as(system_actor_in(home.id, home.slug, home.name)), transaction():
        found.setdefault(home.id, []).extend(_ages_of_installation(home))
        living = {tenant.id for tenant in living_tenants()}
        _keep(found, living)


def _home() -> Tenant | None:
    with transaction(read_only=True):
        home = any_tenant_by_slug(OPERATOR_SLUG)
        session().expunge_all()
    return home


def _keep(found: dict[UUID, list[Age]], living: set[UUID]) -> None:
    rows = {(row.customer_id, row.kind): row for row in session().scalars(select(KeyAge))}
    for customer_id, ages in found.items():
        for age in ages:
            row = rows.pop((customer_id, age.kind), None)
            if row is None:
                row = KeyAge(customer_id=customer_id, kind=age.kind)
                session().add(row)
            row.since, row.due_at = age.since, age.due_at
    gone = [
        row.id
        for (customer_id, _kind), row in rows.items()
        if customer_id in found or customer_id not in living
    ]
    session().execute(delete(KeyAge).where(KeyAge.id.in_(gone)))


def _age(kind: str, since: datetime, *, ends_at: datetime | None = None) -> Age:
    lasts = KINDS[kind].lasts
    return Age(kind, since, ends_at or (since + lasts if lasts else None))


def _ages_of_tenant() -> Iterator[Age]:
    """Yield the ages of the acting tenant's keys, if it has them."""
    for kind, model in (("log", LogKey), ("bundle", BundleKey)):
        since = session().scalar(
            select(func.max(model.created_at)).where(model.retired_at.is_(None))
        )
        if since is not None:
            yield _age(kind, since)
    newest = select(SealCertificate).where(SealCertificate.retired_at.is_(None))
    seal = session().scalar(newest.order_by(SealCertificate.created_at.desc()).limit(1))
    if seal is not None:
        renews_itself = seal.source == ISSUED
        yield Age("seal", seal.created_at, None if renews_itself else seal.not_after)
    since = _oldest_secret()
    if since is not None:
        yield _age("webhook", since)


def _oldest_secret() -> datetime | None:
    """Return the creation time of the oldest secret in use, among endpoints that get messages."""
    rotated = (
        select(func.max(AuditEntry.at))
        .where(AuditEntry.action == SECRET_ROTATED.name, AuditEntry.target_id == WebhookEndpoint.id)
        .scalar_subquery()
    )
    since = func.coalesce(rotated, WebhookEndpoint.created_at)
    is_used = WebhookEndpoint.removed_at.is_(None) & WebhookEndpoint.disabled_at.is_(None)
    return session().scalar(select(func.min(since)).where(is_used))


def _ages_of_installation(home: Tenant) -> Iterator[Age]:
    """Yield the ages of keys of no tenant.

    The operator's log has rotations of the installation's key.
    """
    rotated = session().scalar(
        select(func.max(AuditEntry.at)).where(AuditEntry.action == KEK_ROTATED.name)
    )
    yield _age("kek", rotated or home.created_at)
    since = session().scalar(
        select(func.max(SigningKey.created_at)).where(SigningKey.retired_at.is_(None))
    )
    if since is not None:
        yield _age("report", since)
    authority = session().scalar(
        select(CertificateAuthority).order_by(CertificateAuthority.created_at.desc()).limit(1)
    )
    if authority is not None:
        ends = x509.load_der_x509_certificate(authority.certificate).not_valid_after_utc
        yield _age("authority", authority.created_at, ends_at=ends)


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as the page shows it. `tenant` is empty for the installation's keys."""

    kind: KindOfKey
    tenant: str
    slug: str
    since: datetime
    due_at: datetime | None

    @property
    def state(self) -> str:
        """The state of a key: `overdue`, `soon` or `fine`."""
        if self.due_at is None or self.due_at - WARNED_BEFORE > clock.now():
            return "fine"
        return "overdue" if self.due_at <= clock.now() else "soon"

    @property
    def remedy(self) -> str:
        return self.kind.remedy.format(slug=self.slug)


def listed() -> list[ListedKey]:
    """List the keys that are due first, in one statement."""
    query = (
        select(KeyAge, Tenant.name, Tenant.slug)
        .join(Tenant, Tenant.id == KeyAge.customer_id)
        .order_by(KeyAge.due_at.asc().nulls_last(), Tenant.slug, KeyAge.kind)
        .limit(MAX_LISTED)
    )
    return [
        ListedKey(
            KINDS[row.kind],
            "" if row.kind in INSTALLATIONS else name,
            slug,
            row.since,
            row.due_at,
        )
        for row, name, slug in session().execute(query)
    ]


def count_by_state() -> tuple[int, int, int]:
    """Count all keys, those due within a month or overdue, and the overdue ones, in one statement."""
    now = clock.now()
    row = session().execute(
        select(
            func.count(),
            func.count().filter(KeyAge.due_at <= now + WARNED_BEFORE),
            func.count().filter(KeyAge.due_at <= now),
        ).select_from(KeyAge)
    )
    every, due, overdue = row.one()
    return every, due, overdue
