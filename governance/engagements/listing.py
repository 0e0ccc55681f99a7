"""A list of requests as auditors send it: an XLSX file, one row a request. Pure: bytes in, rows and wrong lines out.

The first row that names a title column is the head; what stands above it is left alone. Known heads are listed in HEADS.
A cell merged over several rows counts for each of them. A formula is taken as the text that it is, never worked out:
where a day is wanted that makes the line wrong. Sizes are checked before anything is read whole: the file, what it
unpacks to, how many rows and columns it has.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Self
from xml.etree.ElementTree import XMLPullParser  # the parser is given no entities: DOCTYPE is refused first

from python_calamine import CalamineError, CalamineWorkbook

from governance.kernel.errors import Invalid, TooLarge

MOST_BYTES, MOST_UNPACKED = 8 * 1024 * 1024, 96 * 1024 * 1024
MOST_ROWS, MOST_COLUMNS, MOST_PROBLEMS = 50_000, 60, 200
LONGEST_TITLE, LONGEST_DETAIL, LONGEST_REF = 300, 4000, 40
HEAD_WITHIN = 20  # rows that may stand above the head
PIECE = 256 * 1024
HEADS: Mapping[str, tuple[str, ...]] = {
    "ref": ("ref", "no", "no.", "#", "id", "request no", "request no.", "request id", "pbc no", "pbc #", "number"),
    "title": ("title", "request", "item", "document", "description of request", "what we need", "request title"),
    "detail": ("detail", "details", "description", "notes", "comment", "comments", "instructions"),
    "criteria": ("criteria", "criterion", "requirement", "requirements", "tsc", "control objective", "reference"),
    "due": ("due", "due date", "due on", "needed by", "deadline"),
    "owner": ("owner", "responsible", "assigned to", "client contact", "owner email"),
}
DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d %B %Y", "%d %b %Y")
SEPARATORS = re.compile(r"[,;\n]+")
CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")


@dataclass(frozen=True, slots=True)
class Row:
    """One request. `line` is the row of the sheet, `owner` an address or empty."""

    line: int
    ref: str
    title: str
    detail: str
    criteria: tuple[str, ...]
    due_on: date | None
    owner: str

    @property
    def digest(self) -> str:
        """Of what it asks for, wherever it stands."""
        told = [self.ref, self.title, self.detail, list(self.criteria), self.due_on.isoformat() if self.due_on else None]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    @property
    def as_json(self) -> list[Any]:
        due = self.due_on.isoformat() if self.due_on else None
        return [self.line, self.ref, self.title, self.detail, list(self.criteria), due, self.owner]

    @classmethod
    def from_json(cls, kept: Sequence[Any]) -> Self:
        line, ref, title, detail, criteria, due, owner = kept
        return cls(line, ref, title, detail, tuple(criteria), date.fromisoformat(due) if due else None, owner)


@dataclass(slots=True)
class Listed:
    """What a file holds: the requests, and (line, what is wrong) of lines that cannot be taken."""

    rows: list[Row] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def wrong(self, line: int, says: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((line, says))


def read(content: bytes, *, known: frozenset[str] | None = None) -> Listed:
    """The requests of a file. `known` are the refs that criteria may name; None takes any. Invalid when it is no such list."""
    _bounded(content)
    sheet, formulas = _sheet(content)
    cells = _filled(sheet, formulas)
    start, columns = _head(cells)
    listed, seen = Listed(), dict[str, int]()
    for line, cell in enumerate(cells[start + 1 :], start=start + 2):
        if any(text for text in cell if text not in {"", None}):
            _take(line, cell, columns, listed, seen, known)
    if not listed.rows and not listed.problems:
        raise Invalid("The list has a head and no request below it.", field="file")
    return listed


# ---- sizes first


def _bounded(content: bytes) -> None:
    """The archive is small, unpacks to little, and says nothing of documents elsewhere."""
    if not content:
        raise Invalid("The file is empty: it has 0 bytes.", field="file")
    if len(content) > MOST_BYTES:
        raise TooLarge(f"The list is larger than {MOST_BYTES // 1024**2} MB, the limit.", field="file")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                raise Invalid(
                    "The file is not an XLSX list. Save it as “Excel workbook (.xlsx)” and send it again.", field="file"
                )
            _unpacks_to_little(archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Invalid(
            "The file is not an XLSX list, or it is damaged. Save it as “Excel workbook (.xlsx)”.", field="file"
        ) from error


def _unpacks_to_little(archive: zipfile.ZipFile) -> None:
    """Counted while unpacking: what an archive says of itself may be a lie."""
    total = 0
    for name in archive.infolist():
        with archive.open(name) as part:
            first = True
            while piece := part.read(PIECE):
                if first and name.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in piece:
                    raise Invalid("The file declares a document type, which no spreadsheet does. It was not read.", field="file")
                first = False
                total += len(piece)
                if total > MOST_UNPACKED:
                    raise Invalid(f"The file unpacks to more than {MOST_UNPACKED // 1024**2} MB. It was not read.", field="file")


# ---- cells


def _sheet(content: bytes) -> tuple[Any, dict[tuple[int, int], str]]:
    """The first sheet that shows something, and the formulas in it by (row, column)."""
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = [name for name in book.sheet_names if book.get_sheet_by_name(name).total_height]
        if not names:
            raise Invalid("The workbook has no sheet with anything in it.", field="file")
        sheet = book.get_sheet_by_name(names[0])
    except CalamineError as error:
        raise Invalid("The workbook cannot be read: it is damaged.", field="file") from error
    if sheet.total_height > MOST_ROWS + HEAD_WITHIN:
        raise Invalid(f"The sheet has {sheet.total_height} rows; a list has {MOST_ROWS} at most.", field="file")
    if sheet.total_width > MOST_COLUMNS:
        raise Invalid(f"The sheet has {sheet.total_width} columns; a list has {MOST_COLUMNS} at most.", field="file")
    return sheet, _formulas(content, book.sheet_names.index(names[0]))


def _formulas(content: bytes, number: int) -> dict[tuple[int, int], str]:
    """Cells that hold a formula, and its text: the reader of sheets tells only what it came to when it was last worked out."""
    found: dict[tuple[int, int], str] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        part = _part(archive, number)
        if part is None:
            return found
        parser: Any = XMLPullParser(events=("start", "end"))
        at = ""
        with archive.open(part) as stream:
            while piece := stream.read(PIECE):
                parser.feed(piece)
                for event, element in parser.read_events():
                    tag = element.tag.rpartition("}")[2]
                    if event == "start" and tag == "c":
                        at = element.get("r", "")
                    elif event == "end" and tag == "f" and (place := _place(at)):
                        found[place] = f"={element.text or ''}"
                    elif event == "end" and tag == "row":
                        element.clear()
    return found


def _part(archive: zipfile.ZipFile, number: int) -> str | None:
    """The file of the sheet: writers number them in the order of the tabs."""
    names = sorted((n for n in archive.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", n)), key=lambda n: (len(n), n))
    return names[number] if number < len(names) else None


def _place(ref: str) -> tuple[int, int] | None:
    match = CELL.fullmatch(ref)
    if match is None:
        return None
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]) - 1, column - 1


def _filled(sheet: Any, formulas: Mapping[tuple[int, int], str]) -> list[list[Any]]:
    """Every row from the first one on, formulas as text, cells merged downwards repeated."""
    cells: list[list[Any]] = sheet.to_python(skip_empty_area=False)
    for (row, column), text in formulas.items():
        if row < len(cells) and column < len(cells[row]):
            cells[row][column] = Formula(text)
    for (top, left), (bottom, _right) in sheet.merged_cell_ranges or ():
        for row in range(top + 1, min(bottom + 1, len(cells))):
            if left < len(cells[row]):
                cells[row][left] = cells[top][left]
    return cells


class Formula(str):
    """The text of a cell that holds a formula."""

    __slots__ = ()


# ---- lines


def _head(cells: Sequence[Sequence[Any]]) -> tuple[int, dict[str, int]]:
    """The row that names the columns, and which is which."""
    for number, row in enumerate(cells[:HEAD_WITHIN]):
        columns: dict[str, int] = {}
        for at, value in enumerate(row):
            name = _column(str(value or "").strip().casefold())
            if name is not None:
                columns.setdefault(name, at)
        if "title" in columns:
            return number, columns
    names = ", ".join(f"“{word.capitalize()}”" for word in HEADS["title"][:3])
    raise Invalid(f"No row of the first {HEAD_WITHIN} names a column for what is asked: {names}.", field="file")


def _column(head: str) -> str | None:
    return next((name for name, words in HEADS.items() if head in words), None)


def _take(
    line: int, cell: Sequence[Any], columns: Mapping[str, int], listed: Listed, seen: dict[str, int], known: frozenset[str] | None
) -> None:
    """One line into the list, or what is wrong with it."""
    given = {name: cell[at] if at < len(cell) else "" for name, at in columns.items()}
    title, detail, ref = (_text(given.get(name, "")) for name in ("title", "detail", "ref"))
    problems = list(_too_long(title, detail, ref))
    if not title:
        problems.append("it does not say what is asked for")
    due, says = _day(given.get("due", ""))
    criteria = tuple(dict.fromkeys(c for each in SEPARATORS.split(_text(given.get("criteria", ""))) if (c := each.strip())))
    problems += [says] if says else []
    problems += [f"{c} is no requirement of the engagement's framework" for c in criteria if known is not None and c not in known]
    if ref and ref in seen:
        problems.append(f"{ref} stands in line {seen[ref]} already")
    row = Row(line, ref, title, detail, criteria, due, _text(given.get("owner", "")))
    row = row if ref else Row(line, f"ROW-{row.digest[:10]}", title, detail, criteria, due, row.owner)
    if not ref and row.ref in seen:
        problems.append(f"it is the same as line {seen[row.ref]}")
    seen.setdefault(row.ref, line)
    for problem in problems:
        listed.wrong(line, problem)
    if not problems:
        listed.rows.append(row)


def _too_long(title: str, detail: str, ref: str) -> Iterator[str]:
    for text, most, name in ((title, LONGEST_TITLE, "title"), (detail, LONGEST_DETAIL, "details"), (ref, LONGEST_REF, "ref")):
        if len(text) > most:
            yield f"its {name} has {len(text)} characters; {most} is the most"


def _text(value: Any) -> str:
    """As it is read: whole numbers without a point, days as days, nothing that no text may hold."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        value = value.isoformat()
    text = str(value if value is not None else "")
    return "".join(c for c in text if c == "\n" or c.isprintable()).strip()


def _day(value: Any) -> tuple[date | None, str]:
    """(the day, what is wrong with it)."""
    if isinstance(value, Formula):
        return None, f"its due date is a formula ({value[:40]}), and formulas are not worked out"
    if isinstance(value, datetime):
        return value.date(), ""
    if isinstance(value, date):
        return value, ""
    text = _text(value)
    if not text:
        return None, ""
    for form in DAYS:
        try:
            found = datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        return (found, "") if 2000 <= found.year <= 2100 else (None, f"{text} is no day of this century")  # noqa: PLR2004
    return None, f"“{text[:40]}” is no day such as 2026-11-25"
