"""A population out of a CSV or XLSX file: rows as text by column name, or a refusal that names the cell. Pure.

    read(stream, filename) → Rows     raises Invalid
    checked(rows, …) → Rows           the same rules for rows that come from elsewhere

A workbook may hold no formulas (a population is values, not a calculation) and no merged cells (which row would the
value belong to?). Nothing in it is run, unpacked in memory is bounded, and every value is kept as the text it shows.
"""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import BinaryIO
from xml.etree import ElementTree as ET

from governance.kernel.errors import Invalid
from governance.testing.occurrences import month_of

MOST_ROWS, MOST_COLUMNS, LONGEST = 50_000, 60, 2000
MOST_BYTES, UNPACKED = 20 * 1024**2, 200 * 1024**2
IDS = ("id", "ref", "key", "number", "item")
NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
EPOCH = date(1899, 12, 30)
CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows with the same columns; every id in `id_column` is there once; `date_column` says when each happened, if one does."""

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
    head = next(lines, None)
    if head is None or not any(name.strip() for name in head):
        raise Invalid(f"{filename} has no rows. The first one names the columns.", field="file")
    names = _named(head, filename)
    return checked(
        (_row(names, line, n, filename) for n, line in enumerate(lines, 2) if any(cell.strip() for cell in line)), filename
    )


def checked(rows: Iterable[Mapping[str, object]], what: str) -> Rows:
    """Rows that a population can be made of: some, at most 50 000, the same columns, every id once."""
    held: list[dict[str, str]] = []
    for row in rows:
        if len(held) == MOST_ROWS:
            raise Invalid(f"{what} has more than {MOST_ROWS:,} rows. Split the period.".replace(",", " "), field="file")
        held.append({_plain(name): _plain(value) for name, value in row.items()})
    if not held:
        raise Invalid(f"{what} has no rows: a sample needs at least one.", field="file")
    columns = list(held[0])
    if odd := next((n for n, row in enumerate(held, 1) if list(row) != columns and set(row) != set(columns)), None):
        raise Invalid(f"{what}: row {odd} has other columns than the first one.", field="file")
    id_column = next((c for name in IDS for c in columns if c.casefold() == name), columns[0])
    _ids_once(held, id_column, what)
    dated = next((c for c in columns if c != id_column and all(day_of(row[c]) for row in held)), None)
    months = Counter(month_of(day).isoformat() for row in held if dated and (day := day_of(row[dated])))
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
        raise Invalid(f"{what}: a row has no {column}. Every item needs one, so that it can be drawn.", field="file")
    twice = [item for item, count in counted.items() if count > 1]
    if twice:
        raise Invalid(
            f"{what}: {column} {twice[0]} is there {counted[twice[0]]} times. An item is in a population once.", field="file"
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
        raise Invalid(f"{filename} has {len(names)} columns, more than {MOST_COLUMNS}.", field="file")
    if not all(names):
        raise Invalid(f"{filename}: column {names.index('') + 1} has no name in the first row.", field="file")
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise Invalid(f"{filename}: two columns are called {twice}.", field="file")
    return names


def _row(names: Sequence[str], line: Sequence[str], number: int, filename: str) -> dict[str, str]:
    if any(cell.strip() for cell in line[len(names) :]):
        raise Invalid(f"{filename}: row {number} has more cells than there are columns.", field="file")
    return {name: line[n] if n < len(line) else "" for n, name in enumerate(names)}


# ---- CSV


def _text(content: bytes, filename: str) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{filename} is not UTF-8. Save it as CSV UTF-8.", field="file") from None
    first = text.split("\n", 1)[0]
    try:
        yield from csv.reader(
            io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True
        )
    except csv.Error as error:
        raise Invalid(f"{filename} cannot be read as CSV: {error}.", field="file") from None


# ---- XLSX, read as far as a table needs it


def _workbook(content: bytes, filename: str) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            if sum(entry.file_size for entry in book.infolist()) > UNPACKED:
                raise Invalid(f"{filename} unpacks to more than {UNPACKED // 1024**2} MB.", field="file")
            shared, dates = _shared(book), _date_styles(book)
            with book.open(_first_sheet(book)) as sheet:
                yield from _lines(sheet, shared, dates, filename)
    except (zipfile.BadZipFile, KeyError, ET.ParseError, ValueError, StopIteration, NotImplementedError, RuntimeError) as error:
        raise Invalid(f"{filename} cannot be read as an Excel workbook.", field="file") from error


def _lines(sheet: Iterable[bytes] | BinaryIO, shared: Sequence[str], dates: frozenset[int], filename: str) -> Iterator[list[str]]:
    """The rows in their order. Merged cells stand behind the rows in the file, so the rows are held until they are known."""
    held: list[list[str]] = []
    for _, tag in ET.iterparse(sheet):  # type: ignore[arg-type]  # noqa: S314 - expat 2.6 bounds entities; the size is bounded above
        if tag.tag == f"{NS}row":
            held.append(_cells(tag, shared, dates, filename))
            tag.clear()
            if len(held) > MOST_ROWS + 1:
                break
        elif tag.tag == f"{NS}mergeCell":
            raise Invalid(f"{filename}: the cells {tag.get('ref')} are merged. Unmerge them and fill in each row.", field="file")
    yield from held


def _cells(row: ET.Element, shared: Sequence[str], dates: frozenset[int], filename: str) -> list[str]:
    cells: list[str] = []
    for tag in row.iter(f"{NS}c"):
        where = CELL.fullmatch(tag.get("r") or "")
        column = _column(where[1]) if where else len(cells)
        if column > MOST_COLUMNS * 4:
            raise Invalid(f"{filename}: cell {tag.get('r')} is far to the right of the table.", field="file")
        if tag.find(f"{NS}f") is not None:
            raise Invalid(
                f"{filename}: cell {tag.get('r')} holds a formula. Paste values: a population is what was, not a calculation.",
                field="file",
            )
        cells += [""] * (column + 1 - len(cells))
        cells[column] = _value(tag, shared, dates)
    return cells


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _value(tag: ET.Element, shared: Sequence[str], dates: frozenset[int]) -> str:
    kind, raw = tag.get("t"), tag.findtext(f"{NS}v") or ""
    if kind == "s":
        return shared[int(raw)]
    if kind == "inlineStr":
        return "".join(t.text or "" for t in tag.iter(f"{NS}t"))
    if kind == "b":
        return "yes" if raw == "1" else "no"
    if raw and kind in {None, "n"} and int(tag.get("s") or 0) in dates:
        return (EPOCH + timedelta(days=int(float(raw)))).isoformat()
    return raw.removesuffix(".0")


def _shared(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    root = ET.fromstring(book.read("xl/sharedStrings.xml"))  # noqa: S314 - as above
    return ["".join(t.text or "" for t in entry.iter(f"{NS}t")) for entry in root.iter(f"{NS}si")]


def _date_styles(book: zipfile.ZipFile) -> frozenset[int]:
    """The cell styles that show a number as a day."""
    if "xl/styles.xml" not in book.namelist():
        return frozenset()
    root = ET.fromstring(book.read("xl/styles.xml"))  # noqa: S314 - as above
    own = {
        int(f.get("numFmtId") or 0)
        for f in root.iter(f"{NS}numFmt")
        if re.search(r"[dmy]", f.get("formatCode") or "", re.IGNORECASE)
    }
    known = own | set(range(14, 18)) | {22}
    formats = next(iter(root.iter(f"{NS}cellXfs")), None)
    return frozenset(n for n, xf in enumerate(formats if formats is not None else ()) if int(xf.get("numFmtId") or 0) in known)


def _first_sheet(book: zipfile.ZipFile) -> str:
    root = ET.fromstring(book.read("xl/workbook.xml"))  # noqa: S314 - as above
    wanted = next(root.iter(f"{NS}sheet")).get(REL)
    links = ET.fromstring(book.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - as above
    target = next(link.get("Target") or "" for link in links if link.get("Id") == wanted)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
