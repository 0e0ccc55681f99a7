"""Actions on seals: choose whose downloads are sealed, choose the certificate, sign copies."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key
from sqlalchemy import delete

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.privacy.events import PersonErased
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid
from governance.kernel.installation import domain
from governance.kernel.safety import key_encryption
from governance.publishing.reports import actions as reports
from governance.publishing.reports import queries as report_queries
from governance.publishing.reports.built_document import filename
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.seals import certificates, queries
from governance.publishing.reports.seals.certificates import KeyPair
from governance.publishing.reports.seals.models import (
    AUDITORS,
    EVERYONE,
    ISSUED,
    NOBODY,
    UPLOADED,
    CertificateAuthority,
    ReportCopy,
    SealCertificate,
    SealSettings,
)
from governance.publishing.reports.seals.pades import SealMaterial
from governance.publishing.reports.signatures.signing import CopyNote, Note, sign_note

SETTINGS_CHANGED = action(
    "report.seals.changed",
    "changed whose report downloads are sealed",
    target="SealSettings",
    activity="update",
    severity="medium",
    fields="sealed_for",
)
CERTIFICATE_ADDED = action(
    "report.certificate.added",
    "added a certificate that seals reports",
    target="SealCertificate",
    activity="create",
    severity="medium",
    fields="source subject issuer sha256 not_after",
)
CERTIFICATE_RETIRED = action(
    "report.certificate.retired",
    "retired a certificate that sealed reports and deleted its key",
    target="SealCertificate",
    activity="delete",
    severity="medium",
    fields="source subject sha256",
)
AUTHORITY_CREATED = action(
    "report.authority.created",
    "created the authority that issues certificates for reports",
    target="CertificateAuthority",
    activity="create",
    severity="medium",
    fields="name sha256",
)
COPY_SIGNED = action(
    "report.copy.signed",
    "signed a copy of a report",
    target="ReportRun",
    activity="create",
    severity="low",
    fields="title what sha256 original certificate",
)

CHOICES = (NOBODY, AUDITORS, EVERYONE)
MAX_PKCS12_BYTES = 64 * 1024
AUTHORITY = b"report-authority"


def _context(row: SealCertificate) -> bytes:
    return b"report-seal\0" + row.tenant_id.bytes


key_encryption.holds(CertificateAuthority, "wrapped", lambda _row: AUTHORITY)
key_encryption.holds(SealCertificate, "wrapped", _context)


def change_settings(sealed_for: str) -> None:
    """Choose whose downloads of reports are sealed from now on."""
    if sealed_for not in CHOICES:
        raise Invalid("Choose whose downloads are sealed.", field="sealed_for")
    lock_tenant("seal settings")
    row, before = queries.settings(), queries.sealed_for()
    if before == sealed_for:
        return
    if row is None:
        row = SealSettings(sealed_for=sealed_for)
        session().add(row)
        session().flush()
    row.sealed_for = sealed_for
    record(SETTINGS_CHANGED, row, before={"sealed_for": before}, after={"sealed_for": sealed_for})


def upload_certificate(data: bytes, password: str) -> SealCertificate:
    """Use the tenant's own certificate, from a PKCS#12 file."""
    if len(data) > MAX_PKCS12_BYTES:
        raise Invalid("The file is too large for a certificate with its key.", field="file")
    pair = certificates.read_pkcs12(data, password, clock.now())
    lock_tenant("seal certificate")
    return _use(pair, UPLOADED)


def use_issued_certificate() -> SealCertificate:
    """Use a certificate that this installation issues in the tenant's name."""
    lock_tenant("seal certificate")
    return _issue()


def _issue() -> SealCertificate:
    tenant = current.actor().tenant_name
    return _use(certificates.issue(_authority(), tenant, clock.now()), ISSUED)


def _use(pair: KeyPair, source: str) -> SealCertificate:
    """Store the certificate with its key, and retire the previous one."""
    before, sha256 = queries.certificate(), digest(pair.certificate)
    if before is not None and before.sha256 == sha256:
        return before
    if before is not None:
        before.retired_at, before.wrapped = clock.now(), None
        record(
            CERTIFICATE_RETIRED,
            before,
            source=before.source,
            subject=before.subject,
            sha256=before.sha256,
        )
    row = SealCertificate(
        tenant_id=current.actor().tenant_id,
        source=source,
        subject=certificates.common_name(pair.certificate.subject),
        issuer=certificates.common_name(pair.certificate.issuer),
        certificate=pair.certificate.public_bytes(Encoding.DER),
        chain=certificates.pem(pair.chain),
        wrapped=None,
        sha256=sha256,
        not_after=pair.certificate.not_valid_after_utc,
        added_by=current.actor().person_id,
        retired_at=None,
    )
    row.wrapped = key_encryption.wrap(pair.key_bytes, _context(row))
    session().add(row)
    session().flush()
    record(
        CERTIFICATE_ADDED,
        row,
        source=source,
        subject=row.subject,
        issuer=row.issuer,
        sha256=sha256,
        not_after=row.not_after.date().isoformat(),
    )
    return row


def digest(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def _authority() -> KeyPair:
    """Return the installation's authority. It is created when a tenant first needs it."""
    row = queries.authority()
    if row is None:
        name = domain()
        pair = certificates.create_authority(name, clock.now())
        row = CertificateAuthority(
            name=name,
            certificate=pair.certificate.public_bytes(Encoding.DER),
            wrapped=key_encryption.wrap(pair.key_bytes, AUTHORITY),
        )
        session().add(row)
        session().flush()
        record(AUTHORITY_CREATED, row, name=name, sha256=digest(pair.certificate))
        return pair
    private = load_der_private_key(key_encryption.unwrap(row.wrapped, AUTHORITY), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key isn't of an elliptic curve")
    return KeyPair(x509.load_der_x509_certificate(row.certificate), private)


def material() -> SealMaterial | None:
    """Return the certificate and key that seal now, or None.

    A certificate that we issue is issued when it is needed, and again before it ends. A tenant's
    own certificate that has ended seals nothing.
    """
    row, now = queries.certificate(), clock.now()
    if row is None or (row.source == ISSUED and row.not_after - certificates.RENEW_BEFORE <= now):
        lock_tenant("seal certificate")
        row = _issue()
    if row.not_after <= now or row.wrapped is None:
        return None
    key = key_encryption.unwrap(row.wrapped, _context(row))
    return SealMaterial(row.subject, row.certificate, row.chain, key)


def sign_copy(
    report: ReportRun, *, sha256: str, what: str, recipient: str, at: datetime, seal: str | None
) -> ReportCopy:
    """Sign a changed copy of a report, and record it.

    `what` is "watermarked copy" or "sealed copy". `seal` is the digest of the certificate in it.
    """
    key = report_queries.signing_key()
    if key is None or report.pdf_sha256 is None:
        raise RuntimeError("a copy of a report that was never signed")
    moment = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    note = Note(
        filename(report.snapshot or {}),
        sha256,
        report.fingerprint or "",
        CopyNote(what, report.pdf_sha256, recipient, moment),
    )
    row = ReportCopy(
        run_id=report.id,
        person_id=current.actor().person_id,
        sha256=sha256,
        certificate=seal,
        note=sign_note(reports.private_key(key), key.name, note),
    )
    session().add(row)
    record(
        COPY_SIGNED,
        report,
        title=report.title,
        what=what,
        sha256=sha256,
        original=report.pdf_sha256,
        certificate=seal,
    )
    return row


def forget_copies(erased: PersonErased) -> None:
    """Delete the signatures of an erased person's copies, because each names the person."""
    gone = session().execute(
        delete(ReportCopy).where(ReportCopy.person_id == erased.person_id).returning(ReportCopy.id)
    )
    if count := len(gone.all()):
        erased.removed["signatures of report copies"] = count
