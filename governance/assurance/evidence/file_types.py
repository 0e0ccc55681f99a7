"""Detect the type of a file by its content. Pure functions.

    find_type(stream, filename) → FileType   raises Invalid with the file name and the problem
    ALLOWED                                  the accepted types

A file whose extension contradicts its content is rejected. Office files are ZIP archives: only
their central directory and the first 64 KiB of each XML part are read. The stream must be
seekable, and is left at its start.
"""

import codecs
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from struct import unpack
from typing import BinaryIO, NoReturn
from xml.parsers.expat import ExpatError, ParserCreate

from governance.kernel.errors import Invalid

CHUNK_BYTES = 1024 * 1024
MAX_PARSED_JSON_BYTES = 2 * 1024 * 1024  # Parsed JSON can take 20 times its size in memory.
JSON_ENDS = ((b"{", b"}"), (b"[", b"]"), (b'"', b'"'))
MAX_ARCHIVE_ENTRIES, MAX_DIRECTORY_BYTES, MAX_UNPACKED_BYTES, MAX_COMPRESSION_RATIO = (
    4000,
    2 * 1024 * 1024,
    1024**3,
    300,
)
BLANKS = b" \t\r\n\f\v\xef\xbb\xbf"  # Includes the bytes of a byte order mark.
MARKUP_BYTES = 1024
PROLOG_BYTES = 64 * 1024  # The root element of an XML part must start within these bytes.


@dataclass(frozen=True, slots=True)
class FileType:
    """A file type with its media type, a phrase for messages, and its allowed extensions."""

    type: str
    says: str
    endings: tuple[str, ...]


PDF = FileType("application/pdf", "a PDF", ("pdf",))
PNG = FileType("image/png", "a PNG image", ("png",))
JPEG = FileType("image/jpeg", "a JPEG image", ("jpg", "jpeg"))
TEXT = FileType("text/plain", "plain text", ("txt", "log", "md"))
CSV = FileType("text/csv", "a CSV table", ("csv",))
JSON = FileType("application/json", "JSON", ("json",))
_OPEN_XML = "application/vnd.openxmlformats-officedocument"
XLSX = FileType(f"{_OPEN_XML}.spreadsheetml.sheet", "an Excel workbook", ("xlsx",))
DOCX = FileType(f"{_OPEN_XML}.wordprocessingml.document", "a Word document", ("docx",))
PPTX = FileType(f"{_OPEN_XML}.presentationml.presentation", "a PowerPoint file", ("pptx",))
ALLOWED = (PDF, PNG, JPEG, XLSX, DOCX, PPTX, CSV, TEXT, JSON)
IN_WORDS = "PDF, PNG, JPEG, Word, Excel, PowerPoint, CSV, text or JSON"
ACCEPT = ",".join(f".{ending}" for media in ALLOWED for ending in media.endings)

_SIGNATURES = ((b"%PDF-", PDF), (b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG))
_PARTS = (("xl/workbook.xml", XLSX), ("word/document.xml", DOCX), ("ppt/presentation.xml", PPTX))
_PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xfe\xed\xfa",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"\0asm",
    b"dex\n",
)
_MARKUP = re.compile(rb"<\s*(?:!doctype|html|head|body|svg|script|iframe|\?xml)", re.IGNORECASE)


def find_type(stream: BinaryIO, filename: str) -> FileType:
    """Return the type of a file. Raises Invalid if it isn't accepted or the extension differs."""
    stream.seek(0)
    head = stream.read(8192)
    ending = PurePath(filename).suffix.lower().lstrip(".")
    try:
        found = _by_content(stream, head, ending, filename)
    finally:
        stream.seek(0)
    if ending not in found.endings:
        ending_text = f"ends in .{ending}" if ending else "has no extension"
        raise Invalid(
            f"{filename} {ending_text}, but its content is {found.says}. Nothing was saved;"
            " rename the file"
            " and upload it again.",
            field="file",
        )
    return found


def safe_name(filename: str | None) -> str:
    """Return a file name without its path and characters that break file systems or headers."""
    name = re.split(r"[\\/]", filename or "")[-1]
    return (
        re.sub(
            r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\"]", "", name
        ).strip(". ")[-160:]
        or "file"
    )


def _by_content(stream: BinaryIO, head: bytes, ending: str, filename: str) -> FileType:
    if not head:
        raise Invalid(f"{filename} is empty (0 bytes). Choose another file.", field="file")
    if known := next(
        (media for signature, media in _SIGNATURES if head.startswith(signature)), None
    ):
        return known
    if head.startswith(b"PK"):
        return _office(stream, filename)
    if head.startswith(_PROGRAMS):
        raise _forbidden(filename, "a program")
    if _MARKUP.search(_beginning(stream)):
        raise _forbidden(filename, "a web page or image that can contain scripts")
    if not _is_text(stream):
        raise _forbidden(filename, _guess(head))
    return _text(stream, ending, filename)


def _beginning(stream: BinaryIO) -> bytes:
    """Return the first 1,024 bytes after leading blanks, which browsers use to sniff a type."""
    stream.seek(0)
    found = b""
    for piece in _chunks(stream):
        found = (found + piece).lstrip(BLANKS)
        if len(found) >= MARKUP_BYTES:
            break
    return found[:MARKUP_BYTES]


def _forbidden(filename: str, what: str) -> Invalid:
    return Invalid(f"{filename} is {what}. Upload {IN_WORDS} instead.", field="file")


def _guess(head: bytes) -> str:
    import puremagic  # noqa: PLC0415 - only a refusal names the type

    try:
        name = puremagic.magic_string(head)[0].name
    except (puremagic.PureError, ValueError, IndexError):
        name = ""
    return f"of a type that isn't supported ({name})" if name else "of an unknown type"


def _text(stream: BinaryIO, ending: str, filename: str) -> FileType:
    if ending == "json":
        _check_json(stream, filename)
        return JSON
    return CSV if ending == "csv" else TEXT


def _check_json(stream: BinaryIO, filename: str) -> None:
    """Raise Invalid unless a file is JSON. Above 2 MiB, check only its first and last character."""
    refused = Invalid(f"{filename} ends in .json, but its content isn't valid JSON.", field="file")
    stream.seek(0)
    content = stream.read(MAX_PARSED_JSON_BYTES + 1)
    if len(content) > MAX_PARSED_JSON_BYTES:
        first = content.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
        stream.seek(-4096, 2)
        if (first, stream.read().rstrip()[-1:]) not in JSON_ENDS:
            raise refused
        return
    try:
        json.loads(content)
    except (ValueError, RecursionError) as error:
        raise refused from error


def _is_text(stream: BinaryIO) -> bool:
    """Check that the whole file is UTF-8 without control characters."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _chunks(stream):
            if len(piece.translate(None, CONTROL_CHARACTERS)) != len(piece):
                return False
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


CONTROL_CHARACTERS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(CHUNK_BYTES):
        yield piece


# ---- Office files


def _office(stream: BinaryIO, filename: str) -> FileType:
    _check_archive_size(stream, filename)
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            expands = next((e.filename for e in entries if _defines_entities(archive, e)), None)
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, RuntimeError) as error:
        raise _forbidden(filename, "a damaged archive") from error
    names = {entry.filename for entry in entries}
    found = next((media for part, media in _PARTS if part in names), None)
    if found is None or "[Content_Types].xml" not in names:
        raise _forbidden(filename, "an archive, not an Office file")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise _forbidden(filename, f"{found.says} with macros")
    if expands is not None:
        raise Invalid(
            f"{filename} defines XML entities in {expands[:80]}, which may be an attack."
            " Nothing was saved.",
            field="file",
        )
    packed, unpacked = sum(e.compress_size for e in entries), sum(e.file_size for e in entries)
    if unpacked > MAX_UNPACKED_BYTES or unpacked > MAX_COMPRESSION_RATIO * max(packed, CHUNK_BYTES):
        raise Invalid(
            f"{filename} unpacks to {unpacked // CHUNK_BYTES} MB, which is too large. Nothing"
            " was saved.",
            field="file",
        )
    return found


def _defines_entities(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Check whether an XML part has a document type, which can define expanding entities.

    No Office program writes one. It would be before the root element, after white space and
    comments of any length. A part whose root isn't within its first bytes counts as having one.
    """
    if not entry.filename.lower().endswith((".xml", ".rels", ".vml")):
        return False
    with archive.open(entry) as part:
        head = part.read(PROLOG_BYTES)
    parser = ParserCreate()
    parser.StartDoctypeDeclHandler, parser.StartElementHandler = _found_doctype, _found_root
    try:
        parser.Parse(head, False)
    except _Prolog as begun:
        return begun.has_doctype
    except ExpatError:  # A lenient Office program may still read this as a document type.
        return b"<!" in head.replace(b"\0", b"").replace(b"<!--", b"")
    return len(head) == PROLOG_BYTES


class _Prolog(Exception):
    """Signal that stops the parser at a document type or at the root element."""

    def __init__(self, *, has_doctype: bool) -> None:
        super().__init__()
        self.has_doctype = has_doctype


def _found_doctype(*_: object) -> NoReturn:
    raise _Prolog(has_doctype=True)


def _found_root(*_: object) -> NoReturn:
    raise _Prolog(has_doctype=False)


def _check_archive_size(stream: BinaryIO, filename: str) -> None:
    """Raise Invalid for ZIP64 archives and oversized directories, before reading any entry."""
    stream.seek(0, 2)
    size = stream.tell()
    stream.seek(max(0, size - 65_557))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:  # noqa: PLR2004 - the record's length
        raise _forbidden(filename, "a damaged archive")
    entries, directory = unpack("<HL", tail[at + 10 : at + 16])
    if (
        tail[max(0, at - 20) : at].startswith(b"PK\x06\x07")
        or entries > MAX_ARCHIVE_ENTRIES
        or directory > MAX_DIRECTORY_BYTES
    ):
        raise Invalid(
            f"{filename} is an archive with more than {MAX_ARCHIVE_ENTRIES:,} parts. Nothing was"
            " saved.",
            field="file",
        )
