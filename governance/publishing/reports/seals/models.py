"""The tenant's settings for seals, its certificates, and the copies that were downloaded."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

NOBODY, AUDITORS, EVERYONE = "nobody", "auditors", "everyone"
ISSUED, UPLOADED = "issued", "uploaded"


class CertificateAuthority(Model):
    """The installation's own authority, which issues certificates to its tenants.

    Its key is wrapped by the installation's key.
    """

    __tablename__ = "certificate_authorities"

    name: Mapped[str]
    certificate: Mapped[bytes]  # DER
    wrapped: Mapped[bytes]


class SealSettings(Tenanted, Model):
    """The setting whose downloads of reports are sealed. A tenant without a row has the default."""

    __tablename__ = "seal_settings"
    __table_args__ = (
        UniqueConstraint("tenant_id"),
        CheckConstraint(f"sealed_for IN ('{NOBODY}', '{AUDITORS}', '{EVERYONE}')", "sealed_for"),
    )

    sealed_for: Mapped[str] = mapped_column(default=AUDITORS)


class SealCertificate(Tenanted, Model):
    """A certificate of the tenant with its key, wrapped by the installation's key.

    The newest one that isn't retired signs. Retired ones stay listed, without their key.
    """

    __tablename__ = "seal_certificates"
    __table_args__ = (
        CheckConstraint(f"source IN ('{ISSUED}', '{UPLOADED}')", "source"),
        Index(None, "tenant_id", "created_at"),
    )

    source: Mapped[str]
    subject: Mapped[str]
    issuer: Mapped[str]
    certificate: Mapped[bytes]  # DER
    chain: Mapped[bytes]  # PEM, the issuers, the nearest first
    wrapped: Mapped[bytes | None]  # The key as PKCS#8.
    sha256: Mapped[str]  # Digest of the certificate.
    not_after: Mapped[datetime]
    added_by: Mapped[UUID | None]
    retired_at: Mapped[datetime | None]


class ReportCopy(Tenanted, Model):
    """A copy of a report that was changed for one person, with its own detached signature."""

    __tablename__ = "report_copies"
    __table_args__ = (
        tenant_fk("run_id", "report_runs"),
        Index(None, "tenant_id", "run_id", "person_id", "created_at"),
    )

    run_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    sha256: Mapped[str]
    certificate: Mapped[str | None]  # The digest of the certificate that sealed it.
    note: Mapped[str]
