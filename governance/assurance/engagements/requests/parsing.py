"""Parse a request list as auditors send it: an XLSX file with one request per row.

Pure functions. The first row with a title column is the header, and rows above it are ignored.
COLUMN_NAMES lists the known headings. A cell merged over several rows counts for each of them.
Formulas are read as text and never evaluated. In a date column they are a problem.
kernel/files/spreadsheet_reader.py reads the file, within limits.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Self

from governance.kernel.errors import Invalid, TooLarge
from governance.kernel.files import spreadsheet_reader
from governance.kernel.files.spreadsheet_reader import Formula

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_ROWS, MAX_COLUMNS, MAX_PROBLEMS = 50_000, 60, 200
MAX_TITLE_LENGTH, MAX_DETAIL_LENGTH, MAX_REF_LENGTH = 300, 4000, 40
MAX_HEADER_ROW = 20  # The header must be within the first 20 rows with content.
MAX_MERGED_CELLS = MAX_ROWS * 10  # Cells that are filled from merged cells.
COLUMN_NAMES: Mapping[str, tuple[str, ...]] = {
    "ref": (
        "ref",
        "no",
        "no.",
        "#",
        "id",
        "request no",
        "request no.",
        "request id",
        "pbc no",
        "pbc #",
        "number",
    ),
    "title": (
        "title",
        "request",
        "item",
        "document",
        "description of request",
        "what we need",
        "request title",
    ),
    "detail": ("detail", "details", "description", "notes", "comment", "comments", "instructions"),
    "criteria": (
        "criteria",
        "criterion",
        "requirement",
        "requirements",
        "tsc",
        "control objective",
        "reference",
    ),
    "due": ("due", "due date", "due on", "needed by", "deadline"),
    "owner": ("owner", "responsible", "assigned to", "client contact", "owner email"),
}
DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d %B %Y", "%d %b %Y")
SEPARATORS = re.compile(r"[,;\n]+")


@dataclass(frozen=True, slots=True)
class ImportedRequest:
    """A request in the file. `line` is its row in the sheet, `owner` an email address or empty."""

    line: int
    ref: str
    title: str
    detail: str
    criteria: tuple[str, ...]
    due_on: date | None
    owner: str

    @property
    def digest(self) -> str:
        """SHA-256 of all fields except the row number and the owner."""
        told = [
            self.ref,
            self.title,
            self.detail,
            list(self.criteria),
            self.due_on.isoformat() if self.due_on else None,
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    @property
    def as_json(self) -> list[Any]:
        due = self.due_on.isoformat() if self.due_on else None
        return [self.line, self.ref, self.title, self.detail, list(self.criteria), due, self.owner]

    @classmethod
    def from_json(cls, kept: Sequence[Any]) -> Self:
        line, ref, title, detail, criteria, due, owner = kept
        return cls(
            line,
            ref,
            title,
            detail,
            tuple(criteria),
            date.fromisoformat(due) if due else None,
            owner,
        )


@dataclass(slots=True)
class ParsedRequestList:
    """The requests of a file, and its problems as (row, sentence)."""

    rows: list[ImportedRequest] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def wrong(self, line: int, says: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append((line, says))


def read(content: bytes, *, known: frozenset[str] | None = None) -> ParsedRequestList:
    """Parse a file. Raises Invalid if it isn't a request list, TooLarge above MAX_FILE_BYTES.

    `known` are the refs that criteria may name. None allows any.
    """
    rows = _rows(content)
    head, columns = _find_header(rows)
    listed, seen = ParsedRequestList(), dict[str, int]()
    for line, cells in rows:
        if line > head:
            _parse_row(line, cells, columns, listed, seen, known)
    if not listed.rows and not listed.problems:
        raise Invalid(
            "The list has column headings but no requests. Add rows and upload it again.",
            field="file",
        )
    return listed


# ---- Cells


def _rows(content: bytes) -> list[tuple[int, list[str]]]:
    """Return (number, cells) of each row with content. A merged cell is repeated in its rows."""
    if not content:
        raise Invalid("The file is empty (0 bytes). Choose another file.", field="file")
    if len(content) > MAX_FILE_BYTES:
        raise TooLarge(
            f"The file is larger than {MAX_FILE_BYTES // 1024**2} MB. Upload a smaller file.",
            field="file",
        )
    sheet = spreadsheet_reader.first_sheet(content, "The list", rows=MAX_ROWS, columns=MAX_COLUMNS)
    if not sheet.rows:
        raise Invalid("The workbook is empty. Choose another file.", field="file")
    by_number, left = dict(sheet.rows), MAX_MERGED_CELLS
    for each in sheet.merged:
        below = range(each.top + 1, min(each.bottom, sheet.rows[-1][0]) + 1)
        value = next(iter(by_number.get(each.top, [])[each.left : each.left + 1]), "")
        left -= len(below)
        if left < 0:
            raise Invalid(
                f"The list merges more than {MAX_MERGED_CELLS:,} cells. Unmerge some cells and"
                " upload it again.",
                field="file",
            )
        for number in below if value else ():
            if (cells := by_number.get(number)) is not None:
                cells += [""] * (each.left + 1 - len(cells))
                cells[each.left] = value
    return sheet.rows


# ---- Rows


def _find_header(rows: Sequence[tuple[int, Sequence[str]]]) -> tuple[int, dict[str, int]]:
    """Return the number of the header row, and the index of each known column."""
    for number, cells in rows[:MAX_HEADER_ROW]:
        columns: dict[str, int] = {}
        for at, value in enumerate(cells):
            name = _column(value.strip().casefold())
            if name is not None:
                columns.setdefault(name, at)
        if "title" in columns:
            return number, columns
    names = " or ".join(f"“{word.capitalize()}”" for word in COLUMN_NAMES["title"][:3])
    raise Invalid(
        f"The first {MAX_HEADER_ROW} rows have no column for the request. Name one {names}.",
        field="file",
    )


def _column(head: str) -> str | None:
    return next((name for name, words in COLUMN_NAMES.items() if head in words), None)


def _parse_row(
    line: int,
    cell: Sequence[str],
    columns: Mapping[str, int],
    listed: ParsedRequestList,
    seen: dict[str, int],
    known: frozenset[str] | None,
) -> None:
    """Add the row to the list, or its problems. A row without a ref gets one from its digest."""
    given = {name: cell[at] if at < len(cell) else "" for name, at in columns.items()}
    title, detail, ref = (_text(given.get(name, "")) for name in ("title", "detail", "ref"))
    problems = list(_length_problems(title, detail, ref))
    if not title:
        problems.append("The request is missing")
    due, says = _day(given.get("due", ""))
    criteria = tuple(
        dict.fromkeys(
            c for each in SEPARATORS.split(_text(given.get("criteria", ""))) if (c := each.strip())
        )
    )
    problems += [says] if says else []
    problems += [
        f"{c} isn't a requirement of this engagement's framework"
        for c in criteria
        if known is not None and c not in known
    ]
    if ref and ref in seen:
        problems.append(f"{ref} is already used in row {seen[ref]}")
    row = ImportedRequest(line, ref, title, detail, criteria, due, _text(given.get("owner", "")))
    row = (
        row
        if ref
        else ImportedRequest(
            line, f"ROW-{row.digest[:10]}", title, detail, criteria, due, row.owner
        )
    )
    if not ref and row.ref in seen:
        problems.append(f"Duplicate of row {seen[row.ref]}")
    seen.setdefault(row.ref, line)
    for problem in problems:
        listed.wrong(line, problem)
    if not problems:
        listed.rows.append(row)


def _length_problems(title: str, detail: str, ref: str) -> Iterator[str]:
    for text, most, name in (
        (title, MAX_TITLE_LENGTH, "The request"),
        (detail, MAX_DETAIL_LENGTH, "The details text"),
        (ref, MAX_REF_LENGTH, "The ref"),
    ):
        if len(text) > most:
            yield f"{name} has {len(text):,} characters; the maximum is {most:,}"


def _text(value: str) -> str:
    """Remove control characters and surrounding blanks. Keep line breaks."""
    return "".join(c for c in value if c == "\n" or c.isprintable()).strip()


def _day(value: str) -> tuple[date | None, str]:
    """Return the date, or None for an empty or wrong one, and the problem or ""."""
    if isinstance(value, Formula):
        return None, f"The due date is a formula ({value[:40]}). Replace it with a date"
    text = _text(value)
    if not text:
        return None, ""
    for form in DAYS:
        try:
            found = datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        return (
            (found, "")
            if 2000 <= found.year <= 2100  # noqa: PLR2004
            else (None, f"The due date {text} is outside 2000 to 2100")
        )
    return None, f"The due date “{text[:40]}” isn't a date such as 2026-11-25"
