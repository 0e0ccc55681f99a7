"""Check a report offline: the PDF, its signature file and a public key are all it takes.

    verify(pdf, signature, key) -> ReportVerdict      named checks, each with a sentence, and one
                                                      sentence over all

No database, no network, no clock: the command line, the page for dropped files and the tests call
the same function.
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
from governance.kernel.signed_note import b64, split
from governance.kernel.verification_results import Check, Verdict, plain
from governance.publishing.reports.signing import Note, NotSigned, VerifierKey, open_note

MANIFEST, SNAPSHOT = "manifest.json", "snapshot.json"
PRINTED = re.compile(r"Fingerprint((?:[0-9a-f]{8}){8})")


CUT_SHORT = Check(
    "file", ok=False, sentence="The file cannot be read as a PDF: it is cut short or damaged."
)
# What reading a damaged PDF can raise, qpdf's own error first: the bytes come from anybody, so any
# of them is an answer.
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
class ReportVerdict(Verdict):
    """`fingerprint` is that of the data inside, for comparing with paper."""

    fingerprint: str | None
    filename: str | None

    @property
    def sentence(self) -> str:
        return self.summary(
            "report", f"The report is genuine and unchanged: all {len(self.checks)} checks passed."
        )


def verify(pdf: bytes, signature: bytes | str, key: str) -> ReportVerdict:
    """Check the file against its signature and the key, and the data inside against its manifest
    and the cover.

    `key` is one verifier key or several, one a line.
    """
    try:
        keys = read_keys(key)
    except NotSigned as problem:
        return ReportVerdict((Check("key", ok=None, sentence=str(problem)),), None, None)
    known, note, signed = _signature(signature, keys)
    checks = [signed, _digest(pdf, note)]
    opened = _open(pdf)
    if isinstance(opened, Check):
        return ReportVerdict((*checks, opened), None, note.filename if note else None)
    with opened as file:
        try:
            pages, inside = len(file.pages), _attachments(file)
        except DAMAGE:
            return ReportVerdict((*checks, CUT_SHORT), None, note.filename if note else None)
        manifest = _manifest(inside)
        checks += [
            Check(
                "file",
                ok=True,
                sentence=f"The file is a PDF of {pages} page{'' if pages == 1 else 's'}.",
            ),
            *_data(inside, manifest),
            _fingerprint(inside, manifest, note),
            _printed(file, inside),
            _key_named(manifest, str(known)),
            *_checkpoint(manifest),
        ]
    found = _sha256(inside[SNAPSHOT]) if SNAPSHOT in inside else None
    told = tuple(replace(check, sentence=plain(check.sentence)) for check in checks)
    return ReportVerdict(told, found, note.filename if note else None)


# --- Signature and bytes --------------------------------------------------------------------------


def _signature(
    signature: bytes | str, keys: list[VerifierKey]
) -> tuple[VerifierKey, Note | None, Check]:
    """The key that signed, or the first one given; what it vouches for; and the check."""
    try:
        text = signature.decode() if isinstance(signature, bytes) else signature
    except UnicodeDecodeError:
        return (
            keys[0],
            None,
            Check("signature", ok=False, sentence="The signature file is not text."),
        )
    problems = []
    for known in keys:
        try:
            note = open_note(text, known)
        except NotSigned as problem:
            problems.append(str(problem))
        else:
            told = f"{known.name} signed this report with the key {known.key_id.hex()}."
            return known, note, Check("signature", ok=True, sentence=told)
    return keys[0], None, Check("signature", ok=False, sentence=problems[0])


def _digest(pdf: bytes, note: Note | None) -> Check:
    if note is None:
        return Check(
            "digest",
            ok=None,
            sentence="Not checked: without a good signature there is no digest to compare with.",
        )
    if _sha256(pdf) == note.sha256:
        return Check(
            "digest", ok=True, sentence="The file is byte for byte the one that was signed."
        )
    return Check(
        "digest",
        ok=False,
        sentence=(
            "The file is not the one that was signed: it was changed or cut short, or the signature"
            " is another report's."
        ),
    )


def _open(pdf: bytes) -> "pikepdf.Pdf | Check":
    if not pdf.lstrip()[:5].startswith(b"%PDF-"):
        return Check(
            "file", ok=False, sentence="The file is empty." if not pdf else "The file is not a PDF."
        )
    try:
        return pikepdf.open(io.BytesIO(pdf), attempt_recovery=False, suppress_warnings=True)
    except pikepdf.PdfError:
        return CUT_SHORT


# --- The data inside ------------------------------------------------------------------------------


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


def _data(inside: dict[str, bytes], manifest: dict[str, Any] | None) -> list[Check]:
    if manifest is None:
        return [
            Check("manifest", ok=False, sentence="The file holds no readable manifest.json."),
            Check(
                "attachments",
                ok=None,
                sentence="Not checked: without a manifest there are no digests to compare with.",
            ),
        ]
    listed = {each["name"]: each.get("sha256") for each in manifest["attachments"]}
    problems = [*_differences(inside, listed)]
    held = f"All {len(listed)} attachments match their digests in the manifest."
    return [
        Check(
            "manifest",
            ok=True,
            sentence=(
                f"The manifest lists {len(listed)} attachment{'' if len(listed) == 1 else 's'}."
            ),
        ),
        Check("attachments", ok=not problems, sentence=" ".join(problems) or held),
    ]


def _differences(inside: dict[str, bytes], listed: dict[str, Any]) -> Iterator[str]:
    for name, digest in listed.items():
        if name not in inside:
            yield f"{name} is missing from the file."
        elif _sha256(inside[name]) != digest:
            yield f"{name} is not the one in the manifest."
    yield from (
        f"{name} is attached but not in the manifest."
        for name in inside
        if name not in listed and name != MANIFEST
    )


def _fingerprint(
    inside: dict[str, bytes], manifest: dict[str, Any] | None, note: Note | None
) -> Check:
    if SNAPSHOT not in inside:
        return Check(
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
        return Check(
            "fingerprint",
            ok=False,
            sentence=(
                f"The frozen data does not have the fingerprint that {' and '.join(wrong)} names."
            ),
        )
    if not any(claims.values()):
        return Check(
            "fingerprint",
            ok=None,
            sentence="Not checked: nothing names a fingerprint to compare with.",
        )
    return Check(
        "fingerprint",
        ok=True,
        sentence=f"The frozen data has the fingerprint {found[:8]}…{found[-4:]}.",
    )


def _printed(file: pikepdf.Pdf, inside: dict[str, bytes]) -> Check:
    """The fingerprint that a reader sees on the cover is that of the data attached."""
    try:
        match = PRINTED.search(re.sub(r"\s", "", _text(file.pages[0]))) if file.pages else None
    except DAMAGE:
        match = None
    if match is None:
        return Check("printed", ok=False, sentence="No fingerprint can be read on the cover.")
    if SNAPSHOT in inside and match[1] == _sha256(inside[SNAPSHOT]):
        return Check(
            "printed",
            ok=True,
            sentence="The fingerprint printed on the cover is that of the data attached.",
        )
    return Check(
        "printed",
        ok=False,
        sentence="The fingerprint printed on the cover is not that of the data attached.",
    )


def _key_named(manifest: dict[str, Any] | None, key: str) -> Check:
    named = manifest.get("signing_key") if manifest else None
    if named is None:
        return Check("key", ok=None, sentence="Not checked: the file names no signing key.")
    if named == key:
        return Check("key", ok=True, sentence="The key given is the one that the report names.")
    return Check("key", ok=False, sentence="The report names another key than the one given.")


def _checkpoint(manifest: dict[str, Any] | None) -> list[Check]:
    """The audit log's checkpoint that the report carries.

    Its signature is for the log's own key: `verify-log --checkpoint`.
    """
    log = manifest.get("log") if manifest else None
    if not isinstance(log, dict) or not isinstance(log.get("note"), str):
        return []
    try:
        stated = checkpoint.parse(split(log["note"])[0])
    except NotSigned as problem:
        return [
            Check("log", ok=False, sentence=f"The checkpoint in the file cannot be read. {problem}")
        ]
    if (stated.origin, b64(stated.root)) != (log.get("origin"), log.get("root")):
        return [
            Check(
                "log",
                ok=False,
                sentence="The checkpoint in the file is not the one that the report prints.",
            )
        ]
    return [
        Check(
            "log",
            ok=True,
            sentence=f"It carries the checkpoint of {stated.origin} of {stated.size:,} entries.",
        )
    ]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# --- The words on a page --------------------------------------------------------------------------


def _text(page: pikepdf.Page) -> str:
    """What the page shows, in painting order, decoded with each font's own table (ISO 32000-2,
    9.10.3).
    """
    fonts = {
        name: _table(font)
        for name, font in page.resources.get("/Font", pikepdf.Dictionary()).items()
    }
    table: dict[bytes, str] = {}
    parts = []
    for each in pikepdf.parse_content_stream(page):
        operands: list[Any] = list(each.operands)
        match str(each.operator):
            case "Tf":
                table = fonts.get(str(operands[0]), {})
            case "Tj" | "TJ" as operator:
                pieces = operands[0] if operator == "TJ" else operands
                parts += [
                    _decode(bytes(piece), table)
                    for piece in pieces
                    if isinstance(piece, pikepdf.String)
                ]
            case _:
                pass
    return "".join(parts)


def _decode(codes: bytes, table: dict[bytes, str]) -> str:
    return "".join(
        table.get(codes[at : at + 2], "\N{REPLACEMENT CHARACTER}") for at in range(0, len(codes), 2)
    )


def _table(font: Any) -> dict[bytes, str]:
    """Two-byte code → text, from the font's ToUnicode map; lists and ranges both."""
    if "/ToUnicode" not in font:
        return {}
    cmap = bytes(font.ToUnicode.read_bytes()).decode("latin-1")
    table = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        for code, text in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            table[bytes.fromhex(code)] = _utf16(text)
    for block in re.findall(r"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, text in re.findall(
            r"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]{4})>", block
        ):
            for step in range(int(last, 16) - int(first, 16) + 1):
                table[(int(first, 16) + step).to_bytes(2, "big")] = chr(int(text, 16) + step)
    return table


def _utf16(text: str) -> str:
    return bytes.fromhex(text).decode("utf-16-be", errors="replace")
