"""Get a time stamp (RFC 3161) that a checkpoint exists by now, and verify it.

The SHA-256 of the checkpoint's note is stamped, so that anyone can verify the token:

    openssl ts -verify -in checkpoint.tsr -data checkpoint.txt -CAfile authority.pem
"""

from collections.abc import Sequence

from cryptography import x509
from rfc3161_client import TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response
from rfc3161_client.base import HashAlgorithm
from rfc3161_client.errors import VerificationError
from rfc3161_client.tsp import PKIStatus, TimeStampRequest

from governance.foundation.anchors.anchor_response import AnchorResponse, PresentedCheckpoint, other
from governance.foundation.anchors.certificate_order import sorted_certificates
from governance.kernel.safety import outbound_http

OK = 200
MAX_CERTIFICATES = 10
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


def certificates(pem: str) -> Sequence[x509.Certificate]:
    """Read the authority's certificates; raise ValueError unless one of them is a root."""
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise ValueError(
            "These are not PEM certificates. Each starts with BEGIN CERTIFICATE."
        ) from None
    if len(found) > MAX_CERTIFICATES:
        raise ValueError(
            f"These are {len(found)} certificates. Enter one chain, {MAX_CERTIFICATES} at most."
        )
    if not any(_is_root(each) for each in found):
        raise ValueError(
            "The root certificate is missing. Enter the whole chain, up to the self-signed root."
        )
    return found


def _is_root(certificate: x509.Certificate) -> bool:
    return certificate.subject == certificate.issuer


def stamp(url: str, pem: str, shown: PresentedCheckpoint) -> AnchorResponse:
    """Request a token over the checkpoint's note. Only a valid token is kept."""
    query = _query(shown.note.encode())
    headers = {"Content-Type": QUERY, "Accept": REPLY}
    reply = outbound_http.send("POST", url, "The authority", data=query.as_bytes(), headers=headers)
    if reply.status_code != OK:
        return other(reply.status_code, shown)
    problem = flaw(reply.content, pem, shown.note.encode(), query)
    return AnchorResponse(
        "refuses" if problem else "agrees", problem, OK, b"" if problem else reply.content, shown
    )


def _query(content: bytes) -> TimeStampRequest:
    """Build a request with SHA-256, a nonce, and the signer's certificate in the answer."""
    return (
        TimestampRequestBuilder()
        .data(content)
        .hash_algorithm(HashAlgorithm.SHA256)
        .cert_request(cert_request=True)
        .build()
    )


def flaw(token: bytes, pem: str, content: bytes, query: TimeStampRequest | None = None) -> str:
    """Return what is wrong with an authority's answer, to follow its name; empty if valid."""
    try:
        answer = decode_timestamp_response(sorted_certificates(token))
        if answer.status != PKIStatus.GRANTED:
            return f"did not grant a time stamp (status {answer.status})"
        builder = VerifierBuilder.from_request(query) if query else VerifierBuilder()
        for certificate in certificates(pem):
            add = (
                builder.add_root_certificate
                if _is_root(certificate)
                else builder.add_intermediate_certificate
            )
            builder = add(certificate)
        builder.build().verify_message(answer, content)
    except VerificationError:
        return "answered with a time stamp that its certificates don't confirm"
    except ValueError:
        return "answered with something that is not a time stamp"
    return ""
