"""An untrusted XLSX file as rows of text: read as far as a table needs it, within bounds. Pure.

    first_sheet(content, name, rows=…, columns=…) → Sheet       raises Invalid, in words

Every part is read as a stream and nothing of it is kept but the text of the cells: no tree is
built, no room is made for cells that are not there, and the sizes that an archive states are not
trusted. A part that declares a document type is rejected. Formulas are returned as their text and
never evaluated; numbers are the text that is stored, and days are ISO. One reader for all: each
caller decides what formulas and merged cells mean there.
"""

import contextlib
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from governance.kernel.errors import Invalid

PIECE, MB = 256 * 1024, 1024**2
MAX_PART_BYTES, MAX_SHEETS_BYTES = (
    32 * MB,
    128 * MB,
)  # Unpacked bytes: each part that is no sheet, and all sheets together.
MAX_TAGS, MAX_STRINGS, MAX_CELLS, MAX_MERGED_RANGES = 4_000_000, 1_000_000, 1_000_000, 10_000
MAX_STYLE_TAGS = 500_000  # A program writes up to 64,000 formats, of a few tags each.
MAX_TEXT_LENGTH, MAX_CELL_LENGTH = 32 * MB, 32_767  # Characters of all cells together, and of one.
# The number of the last row, and of rows that may precede a table.
LAST_ROW, MAX_TITLE_ROWS = 1_048_576, 20
CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
NO_DATE = re.compile(
    r'"[^"]*"|\[[^\]]*\]|[\\_*].'
)  # The literal text of a format, its colors and its fillers.
DAYS = {
    *range(14, 18),
    22,
    *range(27, 37),
    *range(50, 59),
}  # Formats of days that every workbook has.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    ExpatError,
    KeyError,
    IndexError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
)


class _Enough(Exception):
    """The beginning of a sheet has been read."""


class Formula(str):
    """The text of a cell that has a formula."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Merged:
    """Cells that are shown as one: first and last row (from 1) and column (from 0)."""

    ref: str
    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class Sheet:
    """The rows of a sheet that have a value, as (number, cells), in their order.

    The first row of the sheet is 1.
    """

    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)
    is_cut: bool = False  # True if cells further right were left out.


def first_sheet(content: bytes, name: str, *, rows: int, columns: int) -> Sheet:
    """Return the first visible sheet that has any content; an empty one if none does.

    It has at most so many columns, and so many rows of a table below its title rows.
    """
    return _read(content, lambda archive: _Workbook(archive, name).first(rows, columns), name)


def beginning(content: bytes, name: str, *, rows: int, columns: int) -> Sheet:
    """Return the same up to so many rows and columns, without reading what comes after them."""
    return _read(
        content, lambda archive: _Workbook(archive, name, cuts=True).first(rows, columns), name
    )


def _read(content: bytes, reading: Callable[[zipfile.ZipFile], Sheet], name: str) -> Sheet:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return reading(archive)
    except DAMAGED as error:
        raise Invalid(
            f"{name} isn't an XLSX workbook, or it's damaged. Save it as “Excel workbook (.xlsx)”"
            " and upload it again.",
            field="file",
        ) from error


def ref(row: int, column: int) -> str:
    """Return A1 for (1, 0)."""
    letters, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


@dataclass(slots=True)
class _Workbook:
    """The archive, and the number of bytes that may still be read from it."""

    archive: zipfile.ZipFile
    name: str
    tags: int = field(default_factory=lambda: MAX_TAGS)
    sheets: int = field(default_factory=lambda: MAX_SHEETS_BYTES)
    names: frozenset[str] = frozenset()
    cuts: bool = False  # True if the rows and columns beyond the limits are left out.

    def first(self, rows: int, columns: int) -> Sheet:
        self.names = frozenset(self.archive.namelist())
        entries = self.archive.infolist()
        if len({entry.header_offset for entry in entries}) < len(
            entries
        ):  # The zipfile module warns of it, and reads on.
            raise zipfile.BadZipFile("two parts share their bytes, as in a zip bomb")
        book, links, strings, styles = _Contents(), _Links(), _Strings(self), _Styles()
        self.walk("xl/workbook.xml", book)
        self.walk("xl/_rels/workbook.xml.rels", links)
        for part, reader in (("xl/sharedStrings.xml", strings), ("xl/styles.xml", styles)):
            if part in self.names:
                self.walk(part, reader)
        sheet = Sheet()
        for link in book.sheets:
            reading = _Rows(self, strings.held, styles.days, book.epoch, rows, columns)
            with contextlib.suppress(_Enough):
                self.sheets = self.walk(
                    posixpath.normpath(posixpath.join("/xl", links.targets[link])).lstrip("/"),
                    reading,
                    self.sheets,
                )
            if (sheet := reading.sheet).rows:
                break
        return sheet

    def walk(self, part: str, reader: "_Part", left: int | None = None) -> int:
        """Read a part to its end, and return how much of `left` remains."""
        entry = self.archive.getinfo(part)
        if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise NotImplementedError(part)
        whole = left = MAX_PART_BYTES if left is None else left
        parser = ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        spare = max(0, self.tags - MAX_STYLE_TAGS) if isinstance(reader, _Styles) else 0

        def start(tag: str, attributes: dict[str, str]) -> None:
            self.tags -= 1
            if self.tags < spare:
                raise self.too("contains more than Meridian can read")
            reader.start(tag.rpartition(" ")[2], attributes)

        def doctype(*_: object) -> None:
            raise Invalid(
                f"{self.name} declares a document type, which spreadsheets never do. It wasn't"
                " read.",
                field="file",
            )

        parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, doctype
        parser.EndElementHandler = lambda tag: reader.end(tag.rpartition(" ")[2])
        parser.CharacterDataHandler = reader.text
        with self.archive.open(entry) as stream:
            while piece := stream.read(PIECE):
                left -= len(piece)
                if left < 0:
                    raise self.too(
                        f"unpacks to more than {whole // MB} MB in {posixpath.basename(part)}"
                    )
                parser.Parse(piece, False)
        parser.Parse(b"", True)
        return left

    def too(self, what: str) -> Invalid:
        return Invalid(
            f"{self.name} {what}. Split it, or remove what you don't need.", field="file"
        )


class _Part:
    """The reader of one part.

    Text is collected within a `t`, `v` or `f`, but not within a reading aid (`rPh`).
    """

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.within = ""
        self.aid = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in {"t", "v", "f"} and not self.aid:
            self.within = tag
        elif tag == "rPh":
            self.aid = True
        self.begun(tag, attributes)

    def text(self, data: str) -> None:
        if self.within:
            self.pieces.append(data)

    def end(self, tag: str) -> None:
        if tag == self.within:
            self.within = ""
        elif tag == "rPh":
            self.aid = False
        self.ended(tag)

    def taken(self) -> str:
        found = "".join(self.pieces)
        self.pieces.clear()
        return found

    def begun(self, tag: str, attributes: Mapping[str, str]) -> None: ...

    def ended(self, tag: str) -> None: ...


class _Contents(_Part):
    """The sheets in the order of their tabs, and the day from which days are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[str] = []
        self.epoch = date(1899, 12, 30)

    def begun(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "sheet" and attributes.get("state", "visible") == "visible":
            self.sheets += [value for name, value in attributes.items() if name.endswith(" id")]
        elif tag == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
            self.epoch = date(1904, 1, 1)


class _Links(_Part):
    """The file of each sheet."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: dict[str, str] = {}

    def begun(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "Relationship":
            self.targets[attributes["Id"]] = attributes["Target"]


class _Strings(_Part):
    """The texts that cells share."""

    def __init__(self, book: _Workbook) -> None:
        super().__init__()
        self.book = book
        self.held: list[str] = []

    def ended(self, tag: str) -> None:
        if tag == "si":
            if len(self.held) == MAX_STRINGS:
                raise self.book.too(f"contains more than {MAX_STRINGS} texts")
            self.held.append(self.taken())


class _Styles(_Part):
    """The styles of cells that show a number as a day."""

    def __init__(self) -> None:
        super().__init__()
        self.own: set[int] = set()
        self.days: set[int] = set()
        self.number: int | None = None

    def begun(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "numFmt" and _shows_days(attributes.get("formatCode", "")):
            self.own.add(int(attributes["numFmtId"]))
        elif tag == "cellXfs":
            self.number = 0
        elif tag == "xf" and self.number is not None:
            shown = int(attributes.get("numFmtId", 0))
            if shown in DAYS or shown in self.own:
                self.days.add(self.number)
            self.number += 1

    def ended(self, tag: str) -> None:
        if tag == "cellXfs":
            self.number = None


def _shows_days(code: str) -> bool:
    plain = NO_DATE.sub("", code[:255].casefold())
    return "d" in plain or "y" in plain or ("m" in plain and "h" not in plain and "s" not in plain)


class _Rows(_Part):
    """The rows of a sheet that hold something."""

    def __init__(
        self,
        book: _Workbook,
        strings: list[str],
        days: set[int],
        epoch: date,
        rows: int,
        columns: int,
    ) -> None:
        super().__init__()
        self.book, self.strings, self.days, self.epoch = book, strings, days, epoch
        self.most, self.columns = rows, columns
        self.sheet = Sheet()
        self.number = self.count = self.length = self.column = 0
        self.cells: list[str] = []
        self.kind = self.style = ""
        self.formula: str | None = None

    def begun(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "c":
            self._cell(attributes)
        elif tag == "row":
            number = int(attributes.get("r") or self.number + 1)
            if not self.number < number <= LAST_ROW:
                raise ValueError(number)
            self.number, self.cells, self.column = number, [], -1
        elif tag == "mergeCell":
            self._merge(attributes.get("ref", ""))

    def ended(self, tag: str) -> None:
        if tag == "f":
            self.formula = f"={self.taken()}"
        elif tag == "c":
            self._put(self.taken())
        elif tag == "row" and any(cell.strip() for cell in self.cells):
            if len(self.sheet.rows) == self.most + MAX_TITLE_ROWS:
                raise self.book.too(f"has more than {self.most:,} rows")
            self.sheet.rows.append((self.number, self.cells))
            if self.book.cuts and len(self.sheet.rows) == self.most:
                raise _Enough

    def _cell(self, attributes: Mapping[str, str]) -> None:
        self.count += 1
        if self.count > MAX_CELLS:
            raise self.book.too(f"contains more than {MAX_CELLS} cells")
        given = attributes.get("r")
        self.column = _place(given)[1] if given else self.column + 1
        self.kind, self.style, self.formula = (
            attributes.get("t", "n"),
            attributes.get("s", ""),
            None,
        )
        self.pieces.clear()

    def _put(self, raw: str) -> None:
        value = Formula(self.formula) if self.formula is not None else self._value(raw)
        if not value.strip():
            return
        if self.column >= self.columns and self.book.cuts:
            self.sheet.is_cut = True
            return
        if self.column >= self.columns:
            raise self.book.too(
                f"has more than {self.columns} columns: cell {ref(self.number, self.column)} has"
                " a value"
            )
        self.length += len(value)
        if len(value) > MAX_CELL_LENGTH or self.length > MAX_TEXT_LENGTH:
            raise self.book.too(
                f"contains more than {MAX_CELL_LENGTH} characters in one cell, or"
                f" {MAX_TEXT_LENGTH // MB} million in all"
            )
        self.cells += [""] * (self.column + 1 - len(self.cells))
        self.cells[self.column] = value

    def _value(self, raw: str) -> str:
        if self.kind == "s":
            return self.strings[int(raw)] if raw.isdecimal() else ""
        if self.kind in {"inlineStr", "str", "e"}:
            return raw
        if self.kind == "b":
            return "yes" if raw == "1" else "no"
        if self.kind == "d":
            return raw[:10]
        if raw and self.style and int(self.style) in self.days:
            return _day(self.epoch, raw)
        return raw.removesuffix(".0")

    def _merge(self, reference: str) -> None:
        if len(self.sheet.merged) == MAX_MERGED_RANGES:
            raise self.book.too(f"has more than {MAX_MERGED_RANGES} merged cells")
        first, _, last = reference.partition(":")
        self.sheet.merged.append(Merged(reference, *_place(first), *_place(last or first)))


def _place(reference: str) -> tuple[int, int]:
    """Return (row from 1, column from 0) of B7."""
    found: Any = CELL.fullmatch(reference)
    if found is None:
        raise ValueError(reference)
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column - 1


def _day(epoch: date, raw: str) -> str:
    """Return the day that a number encodes, or the number itself if it isn't a day."""
    try:
        return (epoch + timedelta(days=int(float(raw)))).isoformat()
    except (ValueError, OverflowError):
        return raw
