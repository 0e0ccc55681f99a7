"""The child process that reads a FOCUS file with DuckDB; see `main` for its arguments.

It writes a focus_bill.BillReading as JSON.
"""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import msgspec

from governance.economics.costs import focus_bill, focus_columns
from governance.economics.costs.focus_bill import BillReading, RejectedField, UnreadableBill
from governance.economics.costs.focus_lines import PoolRule
from governance.economics.imports import duckdb_files
from governance.economics.imports.kinds import MAX_COLUMNS

CUSTOM = ("x_Model", "x_TokenType")
MAX_LINES = 200_000  # maximum number of summed lines per file
BROKEN_SHOWN = 500


def read(
    path: Path, format_: str, delimiter: str, zone: str, rules: Sequence[PoolRule]
) -> BillReading:
    """Read a file that contains a single FOCUS table."""
    with duckdb_files.limited(path.parent) as connection:
        if format_ == "csv":
            names = _header(path, delimiter)
            source = duckdb_files.csv_source(path, names, delimiter)
        else:
            _rows, names = duckdb_files.parquet_size(connection, path)
            source = duckdb_files.parquet_source(path)
        _check_names(names)
        _load(connection, names, source)
        if format_ == "csv" and (broken := _broken_lines(connection)):
            return BillReading(broken=broken)
        file = focus_bill.read(connection, "source", names, zone=zone, rules=rules)
    if len(file.lines) > MAX_LINES:
        return BillReading(
            problem=f"The file has more than {MAX_LINES:,} different charges. Split it by invoice."
        )
    return BillReading(file=file)


def _header(path: Path, delimiter: str) -> list[str]:
    with path.open(encoding="utf-8", newline="\n") as file:
        names = next(csv.reader([file.readline(duckdb_files.MAX_LINE_BYTES)], delimiter=delimiter))
    return [name.strip() for name in names]


def _check_names(names: Sequence[str]) -> None:
    if len(names) > MAX_COLUMNS:
        raise UnreadableBill(f"The file has {len(names):,} columns. The maximum is {MAX_COLUMNS}.")
    folded = [name.casefold() for name in names]
    if twice := [name for name in names if folded.count(name.casefold()) > 1]:
        raise UnreadableBill(f"The column {twice[0][:40]} is there twice.")
    if not all(folded):
        raise UnreadableBill("A column has no name.")
    if missing := focus_columns.missing_needed(names):
        verb = "is" if len(missing) == 1 else "are"
        raise UnreadableBill(
            f"This isn't a FOCUS Cost and Usage file: {', '.join(missing)} {verb} missing."
        )


def _load(connection: duckdb.DuckDBPyConnection, names: Sequence[str], source: str) -> None:
    """Create the table `source` with the columns that a figure or a check needs, as texts."""
    known = [name for name in names if name in focus_columns.COLUMNS or name in CUSTOM]
    columns = ", ".join(f'CAST("{name}" AS VARCHAR) AS "{name}"' for name in known)
    statement = (
        "CREATE TABLE source AS SELECT row_number() OVER () + 1 AS line,"  # noqa: S608 - known
        f" {columns} FROM {source}"
    )
    connection.execute(statement)


def _broken_lines(connection: duckdb.DuckDBPyConnection) -> list[RejectedField]:
    """Return the lines with a broken quote or not as many cells as the header."""
    query = "SELECT DISTINCT line FROM reject_errors ORDER BY line"
    return [
        RejectedField(line, "", "The line doesn't have the cells of the header.")
        for (line,) in connection.execute(query).fetchmany(BROKEN_SHOWN)
    ]


def main(path: str, format_: str, delimiter: str, zone: str, rules: str) -> None:
    try:
        answer = read(
            Path(path), format_, delimiter, zone, msgspec.json.decode(rules, type=list[PoolRule])
        )
    except UnreadableBill as error:
        answer = BillReading(problem=str(error))
    except duckdb_files.UNREADABLE as error:
        if "memory" in str(error).lower():
            raise MemoryError from None
        answer = BillReading(problem="The file is damaged: it can't be read as a table.")
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
