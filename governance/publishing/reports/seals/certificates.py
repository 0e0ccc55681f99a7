"""Certificates that seal reports: the installation's authority, what it issues, and PKCS#12 files.

    create_authority(name, at)                 a certificate authority of our own and its key
    issue(authority, tenant, at)               a tenant's certificate and its key
    read_pkcs12(data, password, at)            a tenant's own certificate; raises Invalid

Pure. Keys are P-256, because PDF readers don't verify Ed25519. The tenant's certificates have the
key usages of RFC 9336 (document signing) and of email, which older readers require.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from governance.kernel.errors import Invalid

DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
AUTHORITY_LIFE, LIFE = timedelta(days=3650), timedelta(days=730)
RENEW_BEFORE = timedelta(days=60)
CLOCK_SKEW = timedelta(minutes=5)
MIN_RSA_BITS = 2048
MAX_NAME_LENGTH = 64  # Characters of a common name, RFC 5280.
MAX_CHAIN = 8
type Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate, its private key, and the certificates of its issuers, the nearest first."""

    certificate: x509.Certificate
    private: Private
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def key_bytes(self) -> bytes:
        return self.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def create_authority(name: str, at: datetime) -> KeyPair:
    """Return a self-signed authority that can issue certificates and nothing else."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"{name} report authority")
    build = _builder(subject, subject, private.public_key(), at, AUTHORITY_LIFE)
    build = build.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    build = build.add_extension(_usage(is_authority=True), critical=True)
    return KeyPair(build.sign(private, hashes.SHA256()), private)


def issue(authority: KeyPair, tenant: str, at: datetime) -> KeyPair:
    """Return a certificate in the tenant's name, valid for two years."""
    private, issuer = ec.generate_private_key(ec.SECP256R1()), authority.certificate
    life = min(LIFE, issuer.not_valid_after_utc - at)
    build = _builder(_name(tenant), issuer.subject, private.public_key(), at, life)
    build = build.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    build = build.add_extension(_usage(is_authority=False), critical=True)
    usages = [DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]
    build = build.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.private.public_key())
    build = build.add_extension(identifier, critical=False)
    return KeyPair(build.sign(authority.private, hashes.SHA256()), private, (issuer,))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:MAX_NAME_LENGTH])])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    at: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - CLOCK_SKEW)
        .not_valid_after(at + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=not is_authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def read_pkcs12(data: bytes, password: str, at: datetime) -> KeyPair:
    """Read a PKCS#12 file. Raises Invalid, which says what is wrong with it."""
    try:
        found = pkcs12.load_pkcs12(data, password.encode())
    except ValueError as error:
        raise Invalid(
            "The file couldn't be opened. Check the password, and that it is a PKCS#12 file"
            " (.p12 or .pfx).",
            field="file",
        ) from error
    if found.key is None or found.cert is None:
        raise Invalid("The file has no private key with its certificate.", field="file")
    certificate, private = found.cert.certificate, found.key
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise Invalid("The key must be RSA or an elliptic curve of NIST.", field="file")
    chain = tuple(each.certificate for each in found.additional_certs[:MAX_CHAIN])
    pair = KeyPair(certificate, private, chain)
    _check_usable(pair, at)
    return pair


def _check_usable(pair: KeyPair, at: datetime) -> None:
    certificate, private = pair.certificate, pair.private
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size < MIN_RSA_BITS:
        raise Invalid(
            f"The key has {private.key_size} bits. An RSA key needs at least {MIN_RSA_BITS}.",
            field="file",
        )
    if certificate.public_key() != private.public_key():
        raise Invalid("The certificate belongs to another key.", field="file")
    if certificate.not_valid_after_utc <= at:
        day = certificate.not_valid_after_utc.date().isoformat()
        raise Invalid(f"The certificate expired on {day}.", field="file")
    if certificate.not_valid_before_utc > at:
        day = certificate.not_valid_before_utc.date().isoformat()
        raise Invalid(f"The certificate is valid from {day} on.", field="file")
    if not may_sign(certificate):
        raise Invalid(
            "The certificate isn't for signatures: its key usage has neither digital signature nor"
            " non-repudiation.",
            field="file",
        )


def may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment


def common_name(name: x509.Name) -> str:
    """Return a name such as "Acme Insurance". Without a common name, return the full name."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def pem(chain: tuple[x509.Certificate, ...]) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in chain)
