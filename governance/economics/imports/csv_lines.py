"""Line numbers for the rows of a CSV file that DuckDB has read.

Quotes are escaped by doubling, so a row ends with the first line feed after an even number of them.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PIECE_BYTES = 1024 * 1024
HEADER_BYTES = 64 * 1024
DELIMITERS = (",", ";", "\t")


def read_header(path: Path) -> tuple[str, list[str]]:
    """Return the delimiter and the normalized names of the header: lower case, underscores."""
    with path.open("rb") as file:
        first = file.readline(HEADER_BYTES).decode(errors="replace")
    delimiter = max(DELIMITERS, key=first.count)
    cells = next(csv.reader([first.rstrip("\n")], delimiter=delimiter), [])
    return delimiter, ["_".join(cell.strip().casefold().split()) for cell in cells]


def has_open_quote(path: Path) -> bool:
    """Return whether a quote opens and never closes."""
    count = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            count += piece.count(b'"')
    return count % 2 == 1


def rows(path: Path) -> Iterator[tuple[int, int]]:
    """Yield (line, byte offset) of each non-empty row below the header."""
    line, position, begin, quotes = 0, 0, None, 0
    with path.open("rb") as file:
        for text in file:
            line += 1
            if begin is None:
                begin = (line, position)
            quotes ^= text.count(b'"') & 1
            position += len(text)
            if quotes == 0:
                if begin[0] > 1 and text.strip(b"\n"):
                    yield begin
                begin = None


def with_lines(
    path: Path, rejected: Sequence[Sequence[Any]], broken: Sequence[tuple[int, str]]
) -> list[list[Any]]:
    """Return rejected and broken rows as [line, field, reason, …], sorted by line.

    The first value of each rejected row is its number among the rows that DuckDB has read. A broken
    row is identified by its byte position, counted from 1, which may be that of empty lines before
    it.
    """
    wanted, left = deque(rejected), deque(broken)
    found, number = list[list[Any]](), 0
    for line, position in rows(path):
        if left and left[0][0] <= position + 1:
            found.append([line, "", left.popleft()[1], None])
            continue
        number += 1
        while wanted and wanted[0][0] == number:
            found.append([line, *wanted.popleft()[1:]])
    return found + [[1, "", why, None] for _, why in left]
