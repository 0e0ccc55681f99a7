r"""The signed data file of a statement: everything that its figures follow from, in one JSON file.

    sign(private, name, number, statement) -> bytes     `sla-statement.json`
    read(data) -> DataFile                               raises Unreadable

    {"format": "governance.sla-statement/1",
     "statement": {…facts, minute counts, result, checkpoint of the audit log…},
     "checks": {"versions/0/terms/commitments/0/target": "5f0c9a2e", …},
     "signature": "governance statement v1\\n…"}

Pure. The signature (kernel/safety/signed_note.py) is over the SHA-256 of the canonical JSON (RFC 8785) of
the other three. `checks` has eight hex digits of each value's digest, so that an altered one can be
named; they prove nothing by themselves. Minute counts have sums instead (minute_counts.py).
"""

import hashlib
import io
import json
import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.kernel.safety import signed_note
from governance.kernel.safety.signed_note import NotSigned, VerifierKey

FORMAT = "governance.sla-statement/1"
TITLE = "governance statement v1"
NAME = "sla-statement.json"
HEX = re.compile(r"[0-9a-f]{64}")
DIGITS = 8
PDF_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.pdf(\.sig)?")
MAX_BYTES = 64 * 1024 * 1024
MAX_FILES = 9  # Data file, PDF, signature. More PDFs are allowed, since each is checked.
BROKEN_ZIP = (  # The errors that zipfile raises for a damaged archive.
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)
MINUTES = "days"  # Of an indicator. They are checked by their own sums.


class Unreadable(ValueError):
    """An error for a file that isn't a statement's data file.

    The message says why in one sentence.
    """


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file as it was read. Nothing in it has been checked."""

    statement: dict[str, Any]
    checks: dict[str, Any]
    signature: str

    @property
    def sha256(self) -> str:
        return content_digest(self.statement, self.checks)


def content_digest(statement: Mapping[str, Any], checks: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the signed content, in hex."""
    content: dict[str, Any] = {"format": FORMAT, "statement": statement, "checks": checks}
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def sign(private: Ed25519PrivateKey, name: str, number: str, statement: Mapping[str, Any]) -> bytes:
    """Return the file's bytes. The same statement and key give the same bytes.

    `number` names the statement on its signature, such as "acme-AGR-2-2026-10-r2".
    """
    checks = leaf_checks(statement)
    text = f"{TITLE}\n{number}\nsha256 {content_digest(statement, checks)}\n"
    signed: dict[str, Any] = {
        "format": FORMAT,
        "statement": statement,
        "checks": checks,
        "signature": signed_note.sign(private, name, text),
    }
    return rfc8785.dumps(signed)


def open_signature(file: DataFile, key: VerifierKey) -> str:
    """Return the statement's number, after checking this key's signature over the content.

    Raises NotSigned.
    """
    match signed_note.open_note(file.signature, key).split("\n"):
        case [title, number, digest, ""] if title == TITLE:
            stated = digest.removeprefix("sha256 ")
            if not HEX.fullmatch(stated):
                raise NotSigned("The signed text is not that of a statement.")
            if stated != file.sha256:
                raise NotSigned("The content was changed after it was signed.")
            return number
        case _:
            raise NotSigned("The signed text is not that of a statement.")


def leaf_checks(statement: Mapping[str, Any]) -> dict[str, str]:
    """Map each value's path to the first digits of its digest. Minute counts are excluded."""
    return {path: leaf_digest(path, value) for path, value in leaves(statement)}


def leaf_digest(path: str, value: Any) -> str:
    """Return the digest of a value and its path, so equal values in two places differ."""
    return hashlib.sha256(rfc8785.dumps([path, value])).hexdigest()[:DIGITS]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value with its path, joined by "/". An empty list or object is a value."""
    if isinstance(value, Mapping) and value:
        for key in sorted(value):
            if not (key == MINUTES and path.startswith("indicators/")):
                yield from leaves(value[key], f"{path}/{key}" if path else key)
    elif isinstance(value, list | tuple) and value:
        for place, each in enumerate(value):
            yield from leaves(each, f"{path}/{place}")
    else:
        yield path, value


def read(data: bytes) -> DataFile:
    """Read a data file. Raises Unreadable."""
    if len(data) > MAX_BYTES:
        raise Unreadable("The file is larger than any statement.")
    try:
        content = json.loads(
            data,
            object_pairs_hook=_object,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable("The file isn't JSON: it is truncated or damaged.") from None
    match content:
        case {
            "format": str(found),
            "statement": dict(statement),
            "checks": dict(checks),
            "signature": str(signature),
        } if len(content) == 4:  # noqa: PLR2004 - the four above
            if found != FORMAT:
                raise Unreadable(f"The file has the format {found[:40]}; this is for {FORMAT}.")
            return DataFile(statement, checks, signature)
        case _:
            raise Unreadable("The file isn't the data file of a statement.")


def unzip(data: bytes) -> dict[str, bytes]:
    """Return the files of a statement's zip, including the data file.

    Raises Unreadable. It also rejects files that nothing here checks, because the zip would vouch
    for them.
    """
    try:
        inside = _unpacked(data)
    except Unreadable:
        raise
    except BROKEN_ZIP as problem:
        raise Unreadable(f"The zip can't be read: {problem}.") from None
    if NAME not in inside:
        raise Unreadable(f"The zip has no {NAME}.")
    return inside


def _unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        entries = packed.infolist()
        for entry in entries[:MAX_FILES]:
            _check_entry(entry)
        names = {each.filename for each in entries}
        if len(entries) > MAX_FILES or len(names) < len(entries):
            raise Unreadable("The zip has more files than a statement, or two of one name.")
        if sum(each.file_size for each in entries) > MAX_BYTES:
            raise Unreadable("The zip unpacks to more than any statement.")
        return {each.filename: packed.read(each) for each in entries}


def _check_entry(entry: zipfile.ZipInfo) -> None:
    """Check that an entry is a plain file with one of the names in a statement's zip."""
    name, mode = entry.orig_filename, entry.external_attr >> 16
    if name != NAME and not PDF_NAME.fullmatch(name):
        raise Unreadable(f"The zip has the file {name[:80]}, which no statement has.")
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        raise Unreadable(f"{name[:80]} in the zip is a link or a folder, not a file.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("The file has a name twice in one object.")
    return found


def _refuse_number(text: str) -> None:
    raise Unreadable(f"The file has the number {text[:20]}; a statement has whole numbers only.")
