"""Verifies a certificate of deletion offline."""

from dataclasses import dataclass

from governance.kernel import signed_note
from governance.kernel.formatting import plural
from governance.kernel.signed_note import NotSigned
from governance.kernel.verification_results import CheckResult, VerificationResult, plain
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
        right = (
            f"The certificate is genuine: the operator states that {plural(self.rows, 'row')} of"
            f" {self.tenant} were deleted, and that it was done on {self.finished}."
        )
        return self.summary("certificate", right)


def verify(note: str, key: str) -> CertificateVerdict:
    """Verify the signed text against the verifier key of the operator's log."""
    try:
        text = signed_note.open_note(note, signed_note.parse_key(key))
    except NotSigned as wrong:
        return CertificateVerdict((CheckResult("signature", False, str(wrong)),))
    signed = CheckResult("signature", True, "The certificate is signed by this key.")
    try:
        found = read(text)
    except ValueError as wrong:
        why = f"The certificate can't be read: {plain(str(wrong))}."
        return CertificateVerdict((signed, CheckResult("content", False, why)))
    content = CheckResult("content", True, "Its counts of rows add up.")
    return CertificateVerdict(
        (signed, content, _checkpoint(found)),
        tenant=plain(found.facts.get("name", "")),
        finished=plain(found.facts.get("finished", "")),
        rows=sum(found.rows.values()),
    )


def _checkpoint(found: Certificate) -> CheckResult:
    """The last checkpoint of the deleted log, by the key that the certificate names."""
    try:
        note = unpacked(found.facts["checkpoint"])
        signed_note.open_note(note, signed_note.parse_key(found.facts["log-key"]))
    except (KeyError, ValueError, NotSigned) as wrong:
        why = f"The last checkpoint doesn't verify: {plain(str(wrong))}."
        return CheckResult("checkpoint", False, why)
    return CheckResult("checkpoint", True, "The last checkpoint is signed by its log's key.")
