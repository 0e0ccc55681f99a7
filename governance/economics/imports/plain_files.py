"""Detection of an uploaded file's real format, and normalization of its text.

    write_plain(source, target, "bill.csv", ("csv",)) -> Format

Text is written as UTF-8 without a byte order mark and with line feeds only. Raises Invalid for
everything that can't be read: workbooks, archives, other encodings, NUL.
"""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from governance.economics.imports.kinds import Format
from governance.kernel.errors import Invalid

PIECE_BYTES = 1024 * 1024
HEAD_BYTES = 4096
PARQUET = b"PAR1"
UTF_16 = "UTF-16"
TYPES = (
    (b"PK\x03\x04", "is an Excel workbook or another ZIP file"),
    (b"\xd0\xcf\x11\xe0", "is an Excel workbook"),
    (b"%PDF", "is a PDF"),
)
ARCHIVES = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\x28\xb5\x2f\xfd", "zstd"))
NAMES = {"csv": "CSV", "jsonl": "JSON Lines", "parquet": "Parquet", "json": "JSON"}


def write_plain(source: BinaryIO, target: Path, name: str, formats: Sequence[Format]) -> Format:
    """Copy the file in pieces of 1 MiB; return the format detected from its content.

    Raises Invalid for `file`.
    """
    head = source.read(PIECE_BYTES)
    found = _find_format(head[:HEAD_BYTES], name, formats)
    if found not in formats:
        raise Invalid(
            f"{name} is {NAMES[found]}. This kind of file is read as {listed(formats)}.",
            field="file",
        )
    with target.open("wb") as file:
        if found == "parquet":
            _copy_parquet(source, file, head, name)
        else:
            _copy_text(source, file, head, _Text(name))
    return found


def listed(formats: Sequence[Format]) -> str:
    """Return "CSV, JSON Lines or Parquet"."""
    names = [NAMES[each] for each in formats]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _find_format(head: bytes, name: str, formats: Sequence[Format]) -> Format:
    if head.startswith(PARQUET):
        return "parquet"
    _check_type(head, name)
    first = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if not first:
        raise Invalid(f"{name} has no rows.", field="file")
    if first not in (b"{", b"["):
        return "csv"
    if "json" in formats:
        return "json"
    if first == b"[":
        raise Invalid(
            f"{name} is one JSON list. Write each row as an object on a line of its own.",
            field="file",
        )
    return "jsonl"


def _check_type(head: bytes, name: str) -> None:
    for start, says in TYPES:
        if head.startswith(start):
            raise Invalid(f"{name} {says}. Save it as “CSV UTF-8” and upload that.", field="file")
    for start, archive in ARCHIVES:
        if head.startswith(start):
            raise Invalid(f"{name} is compressed with {archive}. Unpack it first.", field="file")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _has_zeros_between(head):
        raise _wrong_encoding(name, f"is {UTF_16} text")


def _has_zeros_between(head: bytes) -> bool:
    """Return whether every second byte is zero, as in UTF-16 text of Latin letters."""
    pairs = len(head) // 2
    return pairs > 1 and any(head[n::2].count(0) > 0.9 * pairs for n in (0, 1))


def _wrong_encoding(name: str, says: str) -> Invalid:
    return Invalid(f"{name} {says}. Save it as “CSV UTF-8” and upload it again.", field="file")


def _copy_parquet(source: BinaryIO, target: BinaryIO, piece: bytes, name: str) -> None:
    last = b""
    while piece:
        target.write(piece)
        last = (last + piece[-len(PARQUET) :])[-len(PARQUET) :]
        piece = source.read(PIECE_BYTES)
    if last != PARQUET:
        raise Invalid(
            f"{name} is cut off: a Parquet file ends with its table of contents. Upload it again.",
            field="file",
        )


def _copy_text(source: BinaryIO, target: BinaryIO, piece: bytes, text: "_Text") -> None:
    piece = piece.removeprefix(codecs.BOM_UTF8)
    while piece:
        following = source.read(PIECE_BYTES)
        target.write(text.take(piece, last=not following))
        piece = following


@dataclass(slots=True)
class _Text:
    """Pieces of text, checked and normalized one after the other."""

    name: str
    lines: int = 1
    rest: bytes = (
        b""  # a trailing carriage return, until the next piece shows if a line feed follows
    )
    decoder: codecs.IncrementalDecoder = field(
        default_factory=codecs.getincrementaldecoder("utf-8")
    )

    def take(self, piece: bytes, *, last: bool) -> bytes:
        """Return the piece with line feeds only. Raises Invalid."""
        piece, self.rest = self.rest + piece, b""
        if not last and piece.endswith(b"\r"):
            piece, self.rest = piece[:-1], b"\r"
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._check(piece, last=last)
        self.lines += piece.count(b"\n")
        return piece

    def _check(self, piece: bytes, *, last: bool) -> None:
        if (at := piece.find(b"\0")) >= 0:
            line = self.lines + piece.count(b"\n", 0, at)
            raise Invalid(
                f"{self.name}: line {line:,} has a NUL character, which no text has. Export the"
                " file again.",
                field="file",
            )
        try:
            self.decoder.decode(piece, final=last)
        except UnicodeDecodeError as error:
            line = self.lines + piece.count(b"\n", 0, max(0, error.start))
            raise _wrong_encoding(
                self.name, f"isn't UTF-8 text: line {line:,} has a byte of another encoding"
            ) from None
