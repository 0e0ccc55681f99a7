"""A list of requests as auditors send it: an XLSX file, one row a request.

Pure: bytes in, rows and wrong lines out.

The first row that names a title column is the head; what stands above it is left alone. Known heads
are listed in HEADS. A cell merged over several rows counts for each of them. A formula is taken as
the text that it is, never worked out: where a day is wanted that makes the line wrong. The file is
read by kernel/spreadsheet_reader.py, within bounds.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Self

from governance.kernel import spreadsheet_reader
from governance.kernel.errors import Invalid, TooLarge
from governance.kernel.spreadsheet_reader import Formula

MOST_BYTES = 8 * 1024 * 1024
MOST_ROWS, MOST_COLUMNS, MOST_PROBLEMS = 50_000, 60, 200
LONGEST_TITLE, LONGEST_DETAIL, LONGEST_REF = 300, 4000, 40
HEAD_WITHIN = 20  # rows that may stand above the head
MOST_FILLED = MOST_ROWS * 10  # cells that merging repeats
HEADS: Mapping[str, tuple[str, ...]] = {
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
class Listed:
    """What a file holds: the requests, and (line, what is wrong) of lines that cannot be taken."""

    rows: list[ImportedRequest] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def wrong(self, line: int, says: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((line, says))


def read(content: bytes, *, known: frozenset[str] | None = None) -> Listed:
    """The requests of a file.

    `known` are the refs that criteria may name; None takes any. Invalid when it is no such list.
    """
    rows = _rows(content)
    head, columns = _head(rows)
    listed, seen = Listed(), dict[str, int]()
    for line, cells in rows:
        if line > head:
            _take(line, cells, columns, listed, seen, known)
    if not listed.rows and not listed.problems:
        raise Invalid(
            "The list has column headings but no requests. Add rows and upload it again.",
            field="file",
        )
    return listed


# ---- cells


def _rows(content: bytes) -> list[tuple[int, list[str]]]:
    """(number, cells) of each row that holds something; a cell that is merged downwards stands in
    each of its rows.
    """
    if not content:
        raise Invalid("The file is empty (0 bytes). Choose another file.", field="file")
    if len(content) > MOST_BYTES:
        raise TooLarge(
            f"The file is larger than {MOST_BYTES // 1024**2} MB. Upload a smaller file.",
            field="file",
        )
    sheet = spreadsheet_reader.first_sheet(
        content, "The list", rows=MOST_ROWS, columns=MOST_COLUMNS
    )
    if not sheet.rows:
        raise Invalid("The workbook is empty. Choose another file.", field="file")
    by_number, left = dict(sheet.rows), MOST_FILLED
    for each in sheet.merged:
        below = range(each.top + 1, min(each.bottom, sheet.rows[-1][0]) + 1)
        value = next(iter(by_number.get(each.top, [])[each.left : each.left + 1]), "")
        left -= len(below)
        if left < 0:
            raise Invalid(
                f"The list merges more than {MOST_FILLED:,} cells. Unmerge some cells and upload it again.",
                field="file",
            )
        for number in below if value else ():
            if (cells := by_number.get(number)) is not None:
                cells += [""] * (each.left + 1 - len(cells))
                cells[each.left] = value
    return sheet.rows


# ---- lines


def _head(rows: Sequence[tuple[int, Sequence[str]]]) -> tuple[int, dict[str, int]]:
    """The number of the row that names the columns, and which is which."""
    for number, cells in rows[:HEAD_WITHIN]:
        columns: dict[str, int] = {}
        for at, value in enumerate(cells):
            name = _column(value.strip().casefold())
            if name is not None:
                columns.setdefault(name, at)
        if "title" in columns:
            return number, columns
    names = " or ".join(f"“{word.capitalize()}”" for word in HEADS["title"][:3])
    raise Invalid(
        f"The first {HEAD_WITHIN} rows have no column for the request. Name one {names}.",
        field="file",
    )


def _column(head: str) -> str | None:
    return next((name for name, words in HEADS.items() if head in words), None)


def _take(
    line: int,
    cell: Sequence[str],
    columns: Mapping[str, int],
    listed: Listed,
    seen: dict[str, int],
    known: frozenset[str] | None,
) -> None:
    """One line into the list, or what is wrong with it."""
    given = {name: cell[at] if at < len(cell) else "" for name, at in columns.items()}
    title, detail, ref = (_text(given.get(name, "")) for name in ("title", "detail", "ref"))
    problems = list(_too_long(title, detail, ref))
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
        f"{c} isn't a requirement of the framework of this engagement"
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


def _too_long(title: str, detail: str, ref: str) -> Iterator[str]:
    for text, most, name in (
        (title, LONGEST_TITLE, "The request"),
        (detail, LONGEST_DETAIL, "The details text"),
        (ref, LONGEST_REF, "The ref"),
    ):
        if len(text) > most:
            yield f"{name} has {len(text):,} characters; the maximum is {most:,}"


def _text(value: str) -> str:
    """Nothing that no text may hold."""
    return "".join(c for c in value if c == "\n" or c.isprintable()).strip()


def _day(value: str) -> tuple[date | None, str]:
    """(the day, what is wrong with it)."""
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
