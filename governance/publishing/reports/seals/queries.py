"""Queries of a tenant's seal settings, and of the copies that a person has downloaded."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from governance.kernel import current
from governance.kernel.data.db import session
from governance.publishing.reports.seals.models import (
    AUDITORS,
    EVERYONE,
    CertificateAuthority,
    ReportCopy,
    SealCertificate,
    SealSettings,
)


def sealed_for() -> str:
    """Return whose downloads are sealed. The default is the auditors'."""
    return session().scalars(select(SealSettings.sealed_for)).one_or_none() or AUDITORS


def is_sealed_for(role: str) -> bool:
    chosen = sealed_for()
    return chosen == EVERYONE or (chosen == AUDITORS and role == "auditor")


def is_copied() -> bool:
    """Return whether the acting person's downloads are their own copies, with their own signatures."""
    who = current.actor()
    return who.role == "auditor" or is_sealed_for(who.role)


def settings(*, lock: bool = False) -> SealSettings | None:
    query = select(SealSettings)
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def certificate() -> SealCertificate | None:
    """Return the certificate in use. None before the first."""
    query = select(SealCertificate).where(SealCertificate.retired_at.is_(None))
    order = (SealCertificate.created_at.desc(), SealCertificate.id.desc())
    return session().scalars(query.order_by(*order).limit(1)).one_or_none()


def certificates(*, limit: int = 20) -> Sequence[SealCertificate]:
    """List the certificates, the newest first, including retired ones: they still verify."""
    order = (SealCertificate.created_at.desc(), SealCertificate.id.desc())
    return session().scalars(select(SealCertificate).order_by(*order).limit(limit)).all()


def authority() -> CertificateAuthority | None:
    """Return the installation's newest authority. None before the first certificate."""
    return next(iter(authorities()), None)


def authorities() -> Sequence[CertificateAuthority]:
    return (
        session()
        .scalars(select(CertificateAuthority).order_by(CertificateAuthority.created_at.desc()))
        .all()
    )


def copies(run_id: UUID, person_id: UUID | None, *, limit: int = 10) -> Sequence[ReportCopy]:
    """List a person's own copies of a report, the newest first."""
    if person_id is None:
        return ()
    query = select(ReportCopy).where(ReportCopy.run_id == run_id, ReportCopy.person_id == person_id)
    order = (ReportCopy.created_at.desc(), ReportCopy.id.desc())
    return session().scalars(query.order_by(*order).limit(limit)).all()
