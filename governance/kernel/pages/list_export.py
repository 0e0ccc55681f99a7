"""A CSV file of everything that matches the filters of a list.

    every_page(lambda after: queries.requests(…, after=after, size=BATCH))    the rows of the list,
                                                                              page by page
    csv_file(name, head, pages, asked)           the answer
    chosen(asked, head, rows)                    head and rows with the requested columns
    table(asked, file, rows)                     the same of a list that declares its file columns

The file is written page by page before it is sent, so a list of any length takes the same memory,
and the answer has its length and its SHA-256.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from flask import Response

from governance.kernel.files import storage
from governance.kernel.files.spreadsheet_writer import Cell, csv_bytes, csv_rows
from governance.kernel.pages.list_pages import FileColumn, ListRequest
from governance.kernel.pages.rendering import table_file

ROWS_PER_READ = 1000  # Rows that are read at once.


class Page(Protocol):
    @property
    def rows(self) -> Sequence[Any]: ...
    @property
    def next(self) -> str | None: ...


def every_page(read: Callable[[str | None], Page]) -> Iterator[Sequence[Any]]:
    after, more = None, True
    while more:
        found = read(after)
        yield found.rows
        after, more = found.next, found.next is not None


def chosen(
    asked: ListRequest, head: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> tuple[Sequence[str], Iterator[Sequence[Cell]]]:
    """Return head and rows with the columns that the list shows, or with all columns."""
    kept = asked.file_cells(head)
    return [head[n] for n in kept], ([row[n] for n in kept] for row in rows)


def table[Row](
    asked: ListRequest, file: Sequence[FileColumn[Row]], rows: Iterable[Row]
) -> tuple[Sequence[str], Iterator[Sequence[Cell]]]:
    """Return head and rows of a list that declares what it exports, with the requested columns."""
    cells = ([each.cell(row) for each in file] for row in rows)
    return chosen(asked, [each.head for each in file], cells)


def csv_file(
    name: str,
    head: Sequence[str],
    pages: Iterable[Iterable[Sequence[Cell]]],
    asked: ListRequest | None = None,
) -> Response:
    """Return the file. `pages` are rows of cells, in parts of any size.

    With `asked`, it has the columns that the request chooses.
    """
    if asked is not None:
        listed, every = asked, head
        pages = (chosen(listed, every, rows)[1] for rows in pages)
        head = chosen(asked, every, ())[0]
    file, digest = (
        tempfile.TemporaryFile(),  # noqa: SIM115
        hashlib.sha256(),
    )
    for piece in _pieces(head, pages):
        digest.update(piece)
        file.write(piece)
    size = file.tell()
    file.seek(0)
    answer = table_file(storage.in_pieces(file), f"{name}.csv")
    answer.content_length = size
    answer.headers["X-Content-SHA256"] = digest.hexdigest()
    return answer


def _pieces(head: Sequence[str], pages: Iterable[Iterable[Sequence[Cell]]]) -> Iterator[bytes]:
    yield csv_bytes(head, ())
    yield from map(csv_rows, pages)
