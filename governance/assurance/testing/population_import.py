"""A population out of a CSV or XLSX file: rows as text by column name, or a refusal that names the
cell. Pure.

    read(stream, filename) → Rows     raises Invalid
    checked(rows, …) → Rows           the same rules for rows that come from elsewhere

A workbook may hold no formulas (a population is values, not a calculation) and no merged cells
(which row would the value belong to?). It is read by kernel/spreadsheet_reader.py, within bounds,
and every value is kept as the text it shows.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from governance.assurance.testing.occurrences import month_of
from governance.kernel import spreadsheet_reader
from governance.kernel.errors import Invalid

MOST_ROWS, MOST_COLUMNS, LONGEST = 50_000, 60, 2000
MOST_BYTES = 20 * 1024**2
IDS = ("id", "ref", "key", "number", "item")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows with the same columns; every id in `id_column` is there once; `date_column` says when
    each happened, if one does.
    """

    rows: tuple[dict[str, str], ...]
    id_column: str
    date_column: str | None
    by_month: Mapping[str, int]


def read(stream: BinaryIO, filename: str) -> Rows:
    """The rows of a file that was found to be CSV or XLSX. The first row names the columns."""
    content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Invalid(f"{filename} is larger than {MOST_BYTES // 1024**2} MB.", field="file")
    lines = _workbook(content, filename) if content.startswith(b"PK") else _text(content, filename)
    _, head = next(lines, (0, []))
    if not any(name.strip() for name in head):
        raise Invalid(f"{filename} has no rows. The first one names the columns.", field="file")
    names = _named(head, filename)
    return checked(
        (_row(names, line, n, filename) for n, line in lines if any(cell.strip() for cell in line)),
        filename,
    )


def checked(rows: Iterable[Mapping[str, object]], what: str) -> Rows:
    """Rows that a population can be made of: some, at most 50,000, the same columns, every id
    once.
    """
    held: list[dict[str, str]] = []
    for row in rows:
        if len(held) == MOST_ROWS:
            raise Invalid(
                f"{what} has more than {MOST_ROWS:,} rows. Split the period.",
                field="file",
            )
        held.append({_plain(name): _plain(value) for name, value in row.items()})
    if not held:
        raise Invalid(f"{what} has no rows: a sample needs at least one.", field="file")
    columns = list(held[0])
    if odd := next(
        (n for n, row in enumerate(held, 1) if list(row) != columns and set(row) != set(columns)),
        None,
    ):
        raise Invalid(f"{what}: row {odd} has other columns than the first one.", field="file")
    id_column = next((c for name in IDS for c in columns if c.casefold() == name), columns[0])
    _ids_once(held, id_column, what)
    dated = next(
        (c for c in columns if c != id_column and all(day_of(row[c]) for row in held)), None
    )
    months = Counter(
        month_of(day).isoformat() for row in held if dated and (day := day_of(row[dated]))
    )
    return Rows(tuple(held), id_column, dated, dict(sorted(months.items())))


def day_of(text: str) -> date | None:
    """The day that a text begins with, as 2026-11-25; None if it does not."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _ids_once(rows: Sequence[Mapping[str, str]], column: str, what: str) -> None:
    counted = Counter(row[column] for row in rows)
    if "" in counted:
        raise Invalid(
            f"{what}: a row has no {column}. Every item needs one, so that it can be drawn.",
            field="file",
        )
    twice = [item for item, count in counted.items() if count > 1]
    if twice:
        raise Invalid(
            f"{what}: {column} {twice[0]} is there {counted[twice[0]]} times. An item is in a"
            " population once.",
            field="file",
        )


def _plain(value: object) -> str:
    """Text that JSON and PostgreSQL can keep, in one line's length."""
    text = "" if value is None else value.isoformat() if isinstance(value, date) else str(value)
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:LONGEST].strip()


def _named(head: Sequence[str], filename: str) -> list[str]:
    names = [name.strip() for name in head]
    while names and not names[-1]:
        names.pop()
    if len(names) > MOST_COLUMNS:
        raise Invalid(
            f"{filename} has {len(names)} columns, more than {MOST_COLUMNS}.", field="file"
        )
    if not all(names):
        raise Invalid(
            f"{filename}: column {names.index('') + 1} has no name in the first row.", field="file"
        )
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise Invalid(f"{filename}: two columns are called {twice}.", field="file")
    return names


def _row(names: Sequence[str], line: Sequence[str], number: int, filename: str) -> dict[str, str]:
    if any(cell.strip() for cell in line[len(names) :]):
        raise Invalid(
            f"{filename}: row {number} has more cells than there are columns.", field="file"
        )
    return {name: line[n] if n < len(line) else "" for n, name in enumerate(names)}


# ---- CSV


def _text(content: bytes, filename: str) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{filename} is not UTF-8. Save it as CSV UTF-8.", field="file") from None
    first = text.split("\n", 1)[0]
    try:
        delimiter = ";" if first.count(";") > first.count(",") else ","
        yield from enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1
        )
    except csv.Error as error:
        raise Invalid(f"{filename} cannot be read as CSV: {error}.", field="file") from None


# ---- XLSX


def _workbook(content: bytes, filename: str) -> Iterator[tuple[int, list[str]]]:
    sheet = spreadsheet_reader.first_sheet(content, filename, rows=MOST_ROWS, columns=MOST_COLUMNS)
    if sheet.merged:
        raise Invalid(
            f"{filename}: the cells {sheet.merged[0].ref} are merged. Unmerge them and fill in each"
            " row.",
            field="file",
        )
    for number, cells in sheet.rows:
        for column, cell in enumerate(cells):
            if isinstance(cell, spreadsheet_reader.Formula):
                where = spreadsheet_reader.ref(number, column)
                raise Invalid(
                    f"{filename}: cell {where} holds a formula. Paste values: a population is what"
                    " was, not a calculation.",
                    field="file",
                )
        yield number, cells
