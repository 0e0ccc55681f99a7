"""The offline verification of a certificate of deletion: its text, or the ZIP with text and PDF."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from governance.foundation.audit.verify import read_keys
from governance.kernel.files.verification_results import CheckResult, VerificationResult, plain
from governance.kernel.formatting import plural
from governance.kernel.safety import signed_note
from governance.kernel.safety.signed_note import NotSigned, VerifierKey
from governance.publishing.reports.signatures import signing
from governance.publishing.reports.wording import instant
from governance.publishing.tenant_offboarding.certificate_file import (
    PDF_NAME,
    TEXT_NAME,
    Unreadable,
    unpack,
)
from governance.publishing.tenant_offboarding.certificate_format import (
    Certificate,
    read,
    unpacked,
)


@dataclass(frozen=True, slots=True)
class CertificateVerdict(VerificationResult):
    """The checks of a certificate about `tenant`."""

    tenant: str = ""
    finished: str = ""
    rows: int = 0

    @property
    def sentence(self) -> str:
        ended = instant(self.finished) if self.finished else ""
        right = (
            f"The certificate is genuine. The operator states that {self.tenant} was deleted,"
            f" {plural(self.rows, 'row')} in all, and that this ended on {ended}."
        )
        return self.summary("certificate", right)


def verify(data: bytes, key: str) -> CertificateVerdict:
    """Verify a text or ZIP against the verifier keys of the operator's log, one per line."""
    try:
        keys = read_keys(key)
    except NotSigned as problem:
        return CertificateVerdict((CheckResult("key", ok=None, sentence=str(problem)),))
    try:
        inside = unpack(data) if data[:2] == b"PK" else {TEXT_NAME: data}
    except Unreadable as problem:
        return CertificateVerdict((CheckResult("file", ok=False, sentence=plain(str(problem))),))
    note = inside[TEXT_NAME].decode(errors="replace")
    try:
        text = _opened(keys, lambda each: signed_note.open_note(note, each))
    except NotSigned as wrong:
        return CertificateVerdict((CheckResult("signature", ok=False, sentence=str(wrong)),))
    signed = CheckResult("signature", ok=True, sentence="The certificate is signed by this key.")
    try:
        found = read(text)
    except ValueError as wrong:
        why = f"The certificate can't be read: {plain(str(wrong))}."
        return CertificateVerdict((signed, CheckResult("content", ok=False, sentence=why)))
    content = CheckResult("content", ok=True, sentence="Its counts of rows add up.")
    return CertificateVerdict(
        (signed, content, _checkpoint(found), *_pdf(inside, keys)),
        tenant=plain(found.facts.get("name", "")),
        finished=plain(found.facts.get("finished", "")),
        rows=sum(found.rows.values()),
    )


def _opened[T](keys: Sequence[VerifierKey], open_with: Callable[[VerifierKey], T]) -> T:
    """Open it with the first key that signed it. Raises NotSigned."""
    problem = NotSigned("No key was given.")
    for key in keys:
        try:
            return open_with(key)
        except NotSigned as wrong:
            problem = wrong
    raise problem


def _checkpoint(found: Certificate) -> CheckResult:
    """Check the last checkpoint of the deleted log, by the key that the certificate names."""
    try:
        note = unpacked(found.facts["checkpoint"])
        signed_note.open_note(note, signed_note.parse_key(found.facts["log-key"]))
    except (KeyError, ValueError, NotSigned) as wrong:
        why = f"The last checkpoint doesn't verify: {plain(str(wrong))}."
        return CheckResult("checkpoint", ok=False, sentence=why)
    right = "The last checkpoint is signed by its log's key."
    return CheckResult("checkpoint", ok=True, sentence=right)


def _pdf(inside: dict[str, bytes], keys: Sequence[VerifierKey]) -> Iterator[CheckResult]:
    """Check the PDF beside the text: signed by the same operator, and made from this text."""
    if PDF_NAME not in inside:
        return
    signature = inside[f"{PDF_NAME}.sig"].decode(errors="replace")
    try:
        stated = _opened(keys, lambda each: signing.open_note(signature, each))
    except NotSigned as wrong:
        yield CheckResult("pdf", ok=False, sentence=f"{PDF_NAME}: {wrong}")
        return
    if stated.sha256 != hashlib.sha256(inside[PDF_NAME]).hexdigest():
        yield CheckResult("pdf", ok=False, sentence=f"{PDF_NAME} isn't the file that was signed.")
    elif stated.fingerprint != hashlib.sha256(inside[TEXT_NAME]).hexdigest():
        yield CheckResult("pdf", ok=False, sentence=f"{PDF_NAME} was made from another text.")
    else:
        yield CheckResult("pdf", ok=True, sentence=f"{PDF_NAME} is signed, and shows this text.")
