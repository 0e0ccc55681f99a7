"""Reading of a table with declared columns: a child process parses the file, cells.py the cells."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from governance.economics.imports import csv_lines
from governance.economics.imports.cells import Customers, WrongCell, read_cell
from governance.economics.imports.kinds import (
    MAX_COLUMNS,
    MAX_ROWS,
    Column,
    GivenFile,
    ImportKind,
    Rejection,
    Row,
)
from governance.kernel.errors import Invalid
from governance.kernel.files import sandbox
from governance.kernel.files.sandbox import Ending, Limits
from governance.kernel.files.spreadsheet_writer import csv_bytes

CHILD = "governance.economics.imports.table_child"
LIMITS = Limits(memory=3 * 1024 * sandbox.MIB, seconds=120, output=512 * sandbox.MIB)


@dataclass(slots=True)
class ReadTable:
    """The well-formed rows of a table, and the reasons for rejecting the others."""

    rows: list[Row] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.rows) + len({each.line for each in self.rejected})


def read_table(kind: ImportKind, given: GivenFile, customers: Customers) -> ReadTable:
    """Read the rows of the file. Raises Invalid if its columns are wrong."""
    delimiter = find_delimiter(given.path) if given.format == "csv" else ","
    sizes = (str(MAX_ROWS), str(MAX_COLUMNS))
    outcome = sandbox.run(CHILD, str(given.path), given.format, delimiter, *sizes, limits=LIMITS)
    if not outcome.is_finished:
        raise unreadable(given.name, outcome.ending)
    reading = _Reading(kind, given.name, customers)
    for line in outcome.answer.splitlines():
        reading.take(json.loads(line))
    if not reading.table.count:
        raise Invalid(f"{given.name} has no rows below its header.", field="file")
    return reading.table


def unreadable(name: str, ending: Ending) -> Invalid:
    """Return the error for a child process that didn't finish."""
    if ending in {Ending.TOO_LARGE, Ending.TOO_SLOW}:
        return Invalid(
            f"{name} unpacks to more than Meridian can read. Split it into smaller files.",
            field="file",
        )
    return Invalid(f"{name} can't be read. Export it again.", field="file")


def find_delimiter(path: Path) -> str:
    """Return the delimiter that is most frequent in the first line: comma, semicolon or tab."""
    return csv_lines.read_header(path)[0]


@dataclass(slots=True)
class _Reading:
    kind: ImportKind
    name: str
    customers: Customers
    table: ReadTable = field(default_factory=ReadTable)
    header: Sequence[Column] = ()

    def take(self, message: Any) -> None:
        """Process a message of the child. Raises Invalid."""
        if isinstance(message, list):
            line, cells = message
            self._row(line, cells)
        elif "header" in message:
            self.header = map_header(self.kind.columns, message["header"], self.name)
        elif "line" in message:
            self.table.rejected.append(Rejection(message["line"], "", message["problem"]))
        else:
            raise Invalid(f"{self.name}: {message['problem']}", field="file")

    def _row(self, line: int, cells: Sequence[str | None] | Mapping[str, str | None]) -> None:
        if isinstance(cells, Mapping):
            self._object(line, cells)
        elif len(cells) != len(self.header):
            self.table.rejected.append(
                Rejection(
                    line,
                    "",
                    f"The row has {len(cells)} cells and the header has {len(self.header)}.",
                )
            )
        else:
            self._cells(line, dict(zip(self.header, cells, strict=True)))

    def _object(self, line: int, cells: Mapping[str, str | None]) -> None:
        columns = _by_header(self.kind.columns)
        for name in cells:
            if normal(name) not in columns:
                reason = f"Fields are {', '.join(each.name for each in self.kind.columns)}."
                self.table.rejected.append(Rejection(line, name[:40], reason))
                return
        self._cells(line, {columns[normal(name)]: text for name, text in cells.items()})

    def _cells(self, line: int, cells: Mapping[Column, str | None]) -> None:
        values: dict[str, Any] = {}
        wrong = []
        for column in self.kind.columns:
            try:
                values[column.name] = read_cell(column, cells.get(column) or "", self.customers)
            except WrongCell as error:
                wrong.append(Rejection(line, column.name, str(error)))
        if wrong:
            self.table.rejected += wrong
        else:
            self.table.rows.append(Row(line, values))


def normal(header: str) -> str:
    """Normalize a header for comparison: lower case, spaces as underscores."""
    return "_".join(header.strip().casefold().split())


def _by_header(columns: Sequence[Column]) -> dict[str, Column]:
    return {normal(header): column for column in columns for header in column.headers}


def map_header(columns: Sequence[Column], header: Sequence[str], name: str) -> list[Column]:
    """Return the column of each header. Raises Invalid if one is unknown, repeated or missing."""
    known, found = _by_header(columns), list[Column]()
    wanted = ", ".join(column.name for column in columns)
    for each in header:
        column = known.get(normal(each))
        if column is None:
            shown = each.strip()[:40] or "without a name"
            raise Invalid(
                f"{name}: the column “{shown}” isn't known. The columns are {wanted}.", field="file"
            )
        if column in found:
            raise Invalid(f"{name}: the column {column.name} is there twice.", field="file")
        found.append(column)
    if missing := [each.name for each in columns if each.required and each not in found]:
        raise Invalid(f"{name} has no column {missing[0]}. The columns are {wanted}.", field="file")
    return found


def write_rejections(path: Path, rejected: Sequence[Rejection]) -> None:
    """Write all rejected rows as a CSV file for a spreadsheet."""
    rows = ((each.line, each.field, each.reason) for each in rejected)
    path.write_bytes(csv_bytes(("line", "field", "reason"), rows))
