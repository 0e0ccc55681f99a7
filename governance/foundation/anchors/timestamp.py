"""Has a time-stamp authority (RFC 3161) sign that a checkpoint existed by now, and checks what it
signed.

What is stamped is the SHA-256 of the checkpoint's note, so that anybody can check the token:

    openssl ts -verify -in checkpoint.tsr -data checkpoint.txt -CAfile authority.pem
"""

from collections.abc import Sequence

from cryptography import x509
from rfc3161_client import TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response
from rfc3161_client.base import HashAlgorithm
from rfc3161_client.errors import VerificationError
from rfc3161_client.tsp import PKIStatus, TimeStampRequest

from governance.foundation.anchors.anchor_response import AnchorResponse, PresentedCheckpoint, other
from governance.kernel import outbound_http

OK = 200
MOST_CERTIFICATES = 10
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


def certificates(pem: str) -> Sequence[x509.Certificate]:
    """The authority's certificates, one of them a root; ValueError says what is wrong."""
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise ValueError(
            "These are no certificates in PEM: BEGIN CERTIFICATE … END CERTIFICATE."
        ) from None
    if len(found) > MOST_CERTIFICATES:
        raise ValueError(
            f"{len(found)} certificates are more than the {MOST_CERTIFICATES} that a chain may"
            " have."
        )
    if not any(_is_root(each) for each in found):
        raise ValueError(
            "No certificate among them is a root: give the whole chain, the one that signed itself"
            " too."
        )
    return found


def _is_root(certificate: x509.Certificate) -> bool:
    return certificate.subject == certificate.issuer


def stamp(url: str, pem: str, shown: PresentedCheckpoint) -> AnchorResponse:
    """Ask for a token over the checkpoint's note. The token is kept only when it holds."""
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
    """By SHA-256, with a nonce, and with the signer's certificate in the answer."""
    return (
        TimestampRequestBuilder()
        .data(content)
        .hash_algorithm(HashAlgorithm.SHA256)
        .cert_request(cert_request=True)
        .build()
    )


def flaw(token: bytes, pem: str, content: bytes, query: TimeStampRequest | None = None) -> str:
    """What is wrong with an authority's answer, read after its name; empty when it holds."""
    try:
        answer = decode_timestamp_response(token)
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
        return "answered with a time stamp that its certificates do not bear out"
    except ValueError:
        return "answered with something that is no time stamp"
    return ""
