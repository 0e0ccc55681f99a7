"""Read a population from a CSV or XLSX file, as text by column name. Pure.

A workbook can't have formulas (a population is data, not a calculation) or merged cells. It is read
within limits by kernel/files/spreadsheet_reader.py, and each value is kept as the text that it shows.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from governance.assurance.testing.occurrences import month_of
from governance.kernel.errors import Invalid
from governance.kernel.files import spreadsheet_reader

MAX_ROWS, MAX_COLUMNS, MAX_VALUE_LENGTH = 50_000, 60, 2000
MAX_FILE_BYTES = 20 * 1024**2
ID_COLUMNS = ("id", "ref", "key", "number", "item")


@dataclass(frozen=True, slots=True)
class PopulationRows:
    """Rows with the same columns.

    Each id in `id_column` is unique. `date_column` is the column with the date of each row, if any.
    """

    rows: tuple[dict[str, str], ...]
    id_column: str
    date_column: str | None
    by_month: Mapping[str, int]


def read_population(stream: BinaryIO, filename: str) -> PopulationRows:
    """Return the rows of a CSV or XLSX file. Its first row has the column names. Raise Invalid."""
    content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise Invalid(f"{filename} is larger than {MAX_FILE_BYTES // 1024**2} MB.", field="file")
    lines = (
        _workbook_lines(content, filename)
        if content.startswith(b"PK")
        else _csv_lines(content, filename)
    )
    _, head = next(lines, (0, []))
    if not any(name.strip() for name in head):
        raise Invalid(f"{filename} has no rows. Its first row must name the columns.", field="file")
    names = _check_column_names(head, filename)
    return check_rows(
        (
            _named_row(names, line, n, filename)
            for n, line in lines
            if any(cell.strip() for cell in line)
        ),
        filename,
    )


def check_rows(rows: Iterable[Mapping[str, object]], what: str) -> PopulationRows:
    """Check rows and return them as a population.

    Raise Invalid unless there are 1 to MAX_ROWS rows with equal columns and unique ids.
    """
    kept: list[dict[str, str]] = []
    for row in rows:
        if len(kept) == MAX_ROWS:
            raise Invalid(
                f"{what} has more than {MAX_ROWS:,} rows. Split it into shorter periods.",
                field="file",
            )
        kept.append({_plain_text(name): _plain_text(value) for name, value in row.items()})
    if not kept:
        raise Invalid(f"{what} has no rows. A sample needs at least one.", field="file")
    columns = list(kept[0])
    if odd := next(
        (n for n, row in enumerate(kept, 1) if list(row) != columns and set(row) != set(columns)),
        None,
    ):
        raise Invalid(f"{what}: row {odd} has different columns from the first row.", field="file")
    id_column = next(
        (c for name in ID_COLUMNS for c in columns if c.casefold() == name), columns[0]
    )
    _check_ids(kept, id_column, what)
    dated = next(
        (c for c in columns if c != id_column and all(parse_day(row[c]) for row in kept)), None
    )
    months = Counter(
        month_of(day).isoformat() for row in kept if dated and (day := parse_day(row[dated]))
    )
    return PopulationRows(tuple(kept), id_column, dated, dict(sorted(months.items())))


def parse_day(text: str) -> date | None:
    """Return the date that a text starts with, as in 2026-11-25, or None."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _check_ids(rows: Sequence[Mapping[str, str]], column: str, what: str) -> None:
    counted = Counter(row[column] for row in rows)
    if "" in counted:
        raise Invalid(
            f"{what}: a row has no {column}. Every row needs one, so that it can be sampled.",
            field="file",
        )
    twice = [item for item, count in counted.items() if count > 1]
    if twice:
        raise Invalid(
            f"{what}: {column} {twice[0]} appears {counted[twice[0]]} times."
            " Each item must appear once.",
            field="file",
        )


def _plain_text(value: object) -> str:
    """Return the value as text that JSON and PostgreSQL can store, at most MAX_VALUE_LENGTH
    characters.
    """
    text = "" if value is None else value.isoformat() if isinstance(value, date) else str(value)
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:MAX_VALUE_LENGTH].strip()


def _check_column_names(head: Sequence[str], filename: str) -> list[str]:
    names = [name.strip() for name in head]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise Invalid(
            f"{filename} has {len(names)} columns. The maximum is {MAX_COLUMNS}.", field="file"
        )
    if not all(names):
        raise Invalid(
            f"{filename}: column {names.index('') + 1} has no name in the first row.", field="file"
        )
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise Invalid(f"{filename}: two columns are called {twice}.", field="file")
    return names


def _named_row(
    names: Sequence[str], line: Sequence[str], number: int, filename: str
) -> dict[str, str]:
    if any(cell.strip() for cell in line[len(names) :]):
        raise Invalid(
            f"{filename}: row {number} has more cells than there are columns.", field="file"
        )
    return {name: line[n] if n < len(line) else "" for n, name in enumerate(names)}


# ---- CSV


def _csv_lines(content: bytes, filename: str) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{filename} isn't UTF-8 text. Save it as CSV UTF-8.", field="file") from None
    first = text.split("\n", 1)[0]
    try:
        delimiter = ";" if first.count(";") > first.count(",") else ","
        yield from enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1
        )
    except csv.Error as error:
        raise Invalid(f"{filename} can't be read as CSV: {error}.", field="file") from None


# ---- XLSX


def _workbook_lines(content: bytes, filename: str) -> Iterator[tuple[int, list[str]]]:
    sheet = spreadsheet_reader.first_sheet(content, filename, rows=MAX_ROWS, columns=MAX_COLUMNS)
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
                    f"{filename}: cell {where} has a formula. Replace it with its value.",
                    field="file",
                )
        yield number, cells
