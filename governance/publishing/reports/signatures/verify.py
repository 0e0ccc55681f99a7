"""The offline verification of a report, from the PDF, its signature file and a public key.

    verify(pdf, signature, key) -> ReportVerdict      named checks, each with a sentence, and a
                                                      conclusion

It needs no database, network or clock: the command line, the public page and the tests call the
same function. page_text.py reads the text of a page.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pikepdf

from governance.foundation.audit import checkpoint
from governance.foundation.audit.verify import read_keys
from governance.kernel.files.verification_results import CheckResult, VerificationResult, plain
from governance.kernel.safety.signed_note import b64, split
from governance.publishing.reports.order import check as order
from governance.publishing.reports.signatures.page_text import page_text
from governance.publishing.reports.signatures.signing import Note, NotSigned, VerifierKey, open_note
from governance.publishing.reports.wording import NB, many_digits, moment

MANIFEST, SNAPSHOT = "manifest.json", "snapshot.json"
PRINTED = re.compile(r"Fingerprint((?:[0-9a-f]{8}){8})")


CUT_SHORT = CheckResult(
    "file", ok=False, sentence="The file can't be read as a PDF: it is truncated or damaged."
)
# The errors that reading a damaged PDF can raise, qpdf's own first. Anyone can upload any bytes, so
# each of them is a result.
DAMAGE = (
    pikepdf.PdfError,
    pikepdf.DataDecodingError,
    AttributeError,
    IndexError,
    KeyError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class ReportVerdict(VerificationResult):
    """The result of a check.

    `fingerprint` is that of the data inside, to compare with the print.
    """

    fingerprint: str | None
    filename: str | None

    @property
    def sentence(self) -> str:
        copy = next((check for check in self.checks if check.name == "copy"), None)
        what = "report" if copy is None else "copy of the report"
        return self.summary(
            what, f"The {what} is genuine and intact: all {len(self.checks)} checks passed."
        )


def verify(pdf: bytes, signature: bytes | str, key: str) -> ReportVerdict:
    """Check the file against its signature, and its data against the manifest and the cover.

    `key` is one verifier key or several, one per line.
    """
    try:
        keys = read_keys(key)
    except NotSigned as problem:
        return ReportVerdict((CheckResult("key", ok=None, sentence=str(problem)),), None, None)
    known, note, signed = _signature(signature, keys)
    checks = [signed, _digest(pdf, note), *_copy(note)]
    opened = _open(pdf)
    if isinstance(opened, CheckResult):
        return ReportVerdict((*checks, opened), None, note.filename if note else None)
    with opened as file:
        try:
            pages, inside = len(file.pages), _attachments(file)
        except DAMAGE:
            return ReportVerdict((*checks, CUT_SHORT), None, note.filename if note else None)
        manifest = _manifest(inside)
        checks += [
            CheckResult(
                "file",
                ok=True,
                sentence=f"The file is a PDF with {many_digits(pages, 'page')}.",
            ),
            *_data(inside, manifest),
            _fingerprint(inside, manifest, note),
            _printed(file, inside),
            _key_named(manifest, str(known)),
            *_checkpoint(manifest),
            *_order(inside),
            *(_seals(pdf) if "/AcroForm" in file.Root else ()),
        ]
    found = _sha256(inside[SNAPSHOT]) if SNAPSHOT in inside else None
    printable = tuple(replace(check, sentence=plain(check.sentence)) for check in checks)
    return ReportVerdict(printable, found, note.filename if note else None)


def _signature(
    signature: bytes | str, keys: list[VerifierKey]
) -> tuple[VerifierKey, Note | None, CheckResult]:
    """Return the key that signed (or the first one), what the signature confirms, and the check."""
    try:
        text = signature.decode() if isinstance(signature, bytes) else signature
    except UnicodeDecodeError:
        return (
            keys[0],
            None,
            CheckResult("signature", ok=False, sentence="The signature file isn't a text file."),
        )
    problems = []
    for known in keys:
        try:
            note = open_note(text, known)
        except NotSigned as problem:
            problems.append(str(problem))
        else:
            who = f"{known.name} signed this report with the key {known.key_id.hex()}."
            return known, note, CheckResult("signature", ok=True, sentence=who)
    return keys[0], None, CheckResult("signature", ok=False, sentence=problems[0])


def _digest(pdf: bytes, note: Note | None) -> CheckResult:
    if note is None:
        return CheckResult(
            "digest",
            ok=None,
            sentence="Not checked: without a valid signature there is no digest to compare with.",
        )
    if _sha256(pdf) == note.sha256:
        return CheckResult(
            "digest", ok=True, sentence="The file is exactly the one that was signed."
        )
    return CheckResult(
        "digest",
        ok=False,
        sentence=(
            "The file isn't the one that was signed. It was changed or truncated, or the signature"
            " belongs to another report."
        ),
    )


def _copy(note: Note | None) -> list[CheckResult]:
    """Return the check that says which copy this is and names the original."""
    if note is None or note.copy is None:
        return []
    copy = note.copy
    try:
        at = f"{moment(copy.at).replace(NB, ' ')} UTC"
    except ValueError:
        at = copy.at
    says = (
        f"This is a {copy.what} of the original with the SHA-256 {copy.original}, for"
        f" {copy.recipient}, at {at}."
    )
    return [CheckResult("copy", ok=True, sentence=says)]


def _seals(pdf: bytes) -> list[CheckResult]:
    """Check the certificate signatures inside the file. The detached signature names its owner."""
    from governance.publishing.reports.seals.pades import seals  # noqa: PLC0415 - takes a second

    try:
        found = seals(pdf)
    except Exception:  # noqa: BLE001 - pyHanko raises errors of many libraries for damaged bytes
        return [CheckResult("seal", ok=False, sentence="The seal in the file can't be read.")]
    return [
        CheckResult(
            "seal",
            ok=each.is_valid and each.covers_all,
            sentence=(
                f"{each.signer} sealed the whole file, with the certificate"
                f" {each.certificate[:16]}… issued by {each.issuer}."
                if each.is_valid and each.covers_all
                else "The seal in the file is broken: the file was changed after it was sealed."
            ),
        )
        for each in found
    ]


def _open(pdf: bytes) -> "pikepdf.Pdf | CheckResult":
    if not pdf.lstrip()[:5].startswith(b"%PDF-"):
        return CheckResult(
            "file", ok=False, sentence="The file is empty." if not pdf else "The file isn't a PDF."
        )
    try:
        return pikepdf.open(io.BytesIO(pdf), attempt_recovery=False, suppress_warnings=True)
    except pikepdf.PdfError:
        return CUT_SHORT


def _attachments(file: pikepdf.Pdf) -> dict[str, bytes]:
    found = {}
    for name, each in file.attachments.items():
        try:
            found[name] = each.get_file().read_bytes()
        except DAMAGE:
            found[name] = b""
    return found


def _manifest(inside: dict[str, bytes]) -> dict[str, Any] | None:
    try:
        read = json.loads(inside[MANIFEST])
    except (KeyError, ValueError, RecursionError):
        return None
    is_whole = isinstance(read, dict) and isinstance(read.get("attachments"), list)
    return (
        read
        if is_whole
        and all(
            isinstance(each, dict) and isinstance(each.get("name"), str)
            for each in read["attachments"]
        )
        else None
    )


def _data(inside: dict[str, bytes], manifest: dict[str, Any] | None) -> list[CheckResult]:
    if manifest is None:
        return [
            CheckResult("manifest", ok=False, sentence="The file has no readable manifest.json."),
            CheckResult(
                "attachments",
                ok=None,
                sentence="Not checked: without a manifest there are no digests to compare with.",
            ),
        ]
    listed = {each["name"]: each.get("sha256") for each in manifest["attachments"]}
    problems = [*_differences(inside, listed)]
    matching = f"All {len(listed)} attachments match their digests in the manifest."
    return [
        CheckResult(
            "manifest",
            ok=True,
            sentence=f"The manifest lists {many_digits(len(listed), 'attachment')}.",
        ),
        CheckResult("attachments", ok=not problems, sentence=" ".join(problems) or matching),
    ]


def _differences(inside: dict[str, bytes], listed: dict[str, Any]) -> Iterator[str]:
    for name, digest in listed.items():
        if name not in inside:
            yield f"{name} is missing from the file."
        elif _sha256(inside[name]) != digest:
            yield f"{name} doesn't match its digest in the manifest."
    yield from (
        f"{name} is attached but isn't in the manifest."
        for name in inside
        if name not in listed and name != MANIFEST
    )


def _fingerprint(
    inside: dict[str, bytes], manifest: dict[str, Any] | None, note: Note | None
) -> CheckResult:
    if SNAPSHOT not in inside:
        return CheckResult(
            "fingerprint",
            ok=False,
            sentence="The frozen data, snapshot.json, is missing from the file.",
        )
    found = _sha256(inside[SNAPSHOT])
    claims = {
        "the signature": note.fingerprint if note else None,
        "the manifest": manifest.get("fingerprint") if manifest else None,
    }
    wrong = [where for where, claim in claims.items() if claim is not None and claim != found]
    if wrong:
        return CheckResult(
            "fingerprint",
            ok=False,
            sentence=f"The frozen data doesn't have the fingerprint in {' and '.join(wrong)}.",
        )
    if not any(claims.values()):
        return CheckResult(
            "fingerprint",
            ok=None,
            sentence="Not checked: there is no fingerprint to compare with.",
        )
    return CheckResult(
        "fingerprint",
        ok=True,
        sentence=f"The frozen data has the fingerprint {found[:8]}…{found[-4:]}.",
    )


def _printed(file: pikepdf.Pdf, inside: dict[str, bytes]) -> CheckResult:
    """Compare the fingerprint printed on the cover with the attached data."""
    try:
        match = PRINTED.search(re.sub(r"\s", "", page_text(file.pages[0]))) if file.pages else None
    except DAMAGE:
        match = None
    if match is None:
        return CheckResult("printed", ok=False, sentence="The cover shows no readable fingerprint.")
    if SNAPSHOT in inside and match[1] == _sha256(inside[SNAPSHOT]):
        return CheckResult(
            "printed",
            ok=True,
            sentence="The fingerprint on the cover matches the attached data.",
        )
    return CheckResult(
        "printed",
        ok=False,
        sentence="The fingerprint on the cover doesn't match the attached data.",
    )


def _key_named(manifest: dict[str, Any] | None, key: str) -> CheckResult:
    named = manifest.get("signing_key") if manifest else None
    if named is None:
        return CheckResult("key", ok=None, sentence="Not checked: the report names no signing key.")
    if named == key:
        return CheckResult("key", ok=True, sentence="Your key is the one that the report names.")
    return CheckResult("key", ok=False, sentence="The report names a different key.")


def _checkpoint(manifest: dict[str, Any] | None) -> list[CheckResult]:
    """Check the audit log's checkpoint in the report.

    Its signature is made with the log's own key: `verify-log --checkpoint`.
    """
    log = manifest.get("log") if manifest else None
    if not isinstance(log, dict) or not isinstance(log.get("note"), str):
        return []
    try:
        stated = checkpoint.parse(split(log["note"])[0])
    except NotSigned as problem:
        return [
            CheckResult(
                "log", ok=False, sentence=f"The checkpoint in the file can't be read. {problem}"
            )
        ]
    if (stated.origin, b64(stated.root)) != (log.get("origin"), log.get("root")):
        return [
            CheckResult(
                "log",
                ok=False,
                sentence="The checkpoint in the file isn't the one printed in the report.",
            )
        ]
    return [
        CheckResult(
            "log",
            ok=True,
            sentence=(
                f"The report includes the checkpoint of {stated.origin} at"
                f" {many_digits(stated.size, 'entry', 'entries')}."
            ),
        )
    ]


def _order(inside: dict[str, bytes]) -> list[CheckResult]:
    """Check the order proof, if the report has one."""
    try:
        snapshot = json.loads(inside[SNAPSHOT])
    except (KeyError, ValueError, RecursionError):
        return []
    found = order.check(snapshot) if isinstance(snapshot, dict) else None
    return [found] if found is not None else []


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
