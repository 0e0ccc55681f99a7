"""The child process that reads a table: `python -m … PATH FORMAT DELIMITER MAX_ROWS MAX_COLUMNS`.

It prints JSON lines: {"header": […]}, then [line, [cell, …]] or [line, {header: cell}] per row, and
{"problem": …} or {"line": …, "problem": …} if it can't continue. Cells are strings or null.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from governance.economics.imports import duckdb_files

type Message = dict[str, Any] | list[Any]
FETCHED = 1000


class _Wrong(Exception):
    """Raised if the file can't be read further; `line` is the line, if known."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


def read(path: Path, format_: str, delimiter: str, rows: int, columns: int) -> Iterator[Message]:
    """Yield the messages to print. Raises _Wrong."""
    if format_ == "csv":
        found = _csv(path, delimiter, columns)
    elif format_ == "jsonl":
        found = _lines(path, columns)
    else:
        found = _parquet(path, rows, columns)
    count = 0
    for message in found:
        count += isinstance(message, list)
        if count > rows:
            raise _Wrong(f"The file has more than {rows:,} rows. Split it.")
        yield message


def _check_columns(count: int, columns: int) -> None:
    if count > columns:
        raise _Wrong(f"The file has {count:,} columns. The maximum is {columns}.")


def _csv(path: Path, delimiter: str, columns: int) -> Iterator[Message]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        line = 1
        try:
            for number, cells in enumerate(reader):
                if number == 0:
                    _check_columns(len(cells), columns)
                    yield {"header": cells}
                elif any(cell.strip() for cell in cells):
                    yield [line, cells]
                line = reader.line_num + 1
        except csv.Error as error:
            raise _Wrong(_csv_reason(str(error)), line) from None


def _csv_reason(error: str) -> str:
    if "unexpected end" in error:
        return "A quote opens in this row and never closes, so the rest of the file can't be read."
    if "expected after" in error:
        return "A quoted cell is followed by more text. Double the quotes inside a quoted cell."
    return "The row can't be read as CSV."


def _lines(path: Path, columns: int) -> Iterator[Message]:
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                found = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
            except (ValueError, RecursionError):
                raise _Wrong("The line isn't valid JSON.", number) from None
            if not isinstance(found, dict):
                raise _Wrong("The line isn't a JSON object.", number)
            _check_columns(len(found), columns)
            yield [number, {name: _cell(value) for name, value in found.items()}]


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return "yes" if value is True else "no" if value is False else json.dumps(value)


def _parquet(path: Path, rows: int, columns: int) -> Iterator[Message]:
    with duckdb_files.limited(path.parent) as connection:
        count, names = duckdb_files.parquet_size(connection, path)
        _check_columns(len(names), columns)
        if count > rows:
            raise _Wrong(f"The file has {count:,} rows. The maximum is {rows:,}. Split it.")
        yield {"header": names}
        every = f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {duckdb_files.parquet_source(path)}"  # noqa: S608
        found = connection.execute(every)
        number = 0
        while some := found.fetchmany(FETCHED):
            for row in some:
                number += 1
                yield [number, list(row)]


def main(path: str, format_: str, delimiter: str, rows: str, columns: str) -> None:
    try:
        for message in read(Path(path), format_, delimiter, int(rows), int(columns)):
            sys.stdout.write(json.dumps(message, ensure_ascii=False) + "\n")
    except _Wrong as wrong:
        problem = {"problem": str(wrong)} | ({"line": wrong.line} if wrong.line else {})
        sys.stdout.write(json.dumps(problem) + "\n")
    except duckdb_files.UNREADABLE as error:
        if "memory" in str(error).lower():
            raise MemoryError from None
        sys.stdout.write(json.dumps({"problem": "The Parquet file is damaged."}) + "\n")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # it is a text file
    main(*sys.argv[1:])
