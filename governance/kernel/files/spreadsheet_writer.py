"""Tables as files: CSV and XLSX that a spreadsheet cannot be made to execute (ASVS 1.2.10)."""

import codecs
import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

MAX_CELL_LENGTH = 32_767  # Characters in a cell of XLSX.
# The formats in which a spreadsheet shows them.
DAY, MOMENT = "yyyy-mm-dd", 'yyyy-mm-dd hh:mm:ss "UTC"'
FIRST_YEAR = 1901  # Excel treats 1900 as a leap year, and has no earlier one.
MAX_EXACT_INTEGER = 2**53  # Integers beyond it would be rounded.
DANGEROUS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\0",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # The last four are = + - @ in full width.
BEGINS_A_CELL = re.compile(r'([;\t\r\n][\s"]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])')
Cell = str | int | float | Decimal | date | datetime | None


def harmless(value: Cell) -> str | int | float | Decimal:
    """Return a cell that a spreadsheet never executes.

    Numbers stay numbers, dates become ISO, and text that looks like a formula gets an apostrophe.
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, int | float):
        return value if abs(value) <= MAX_EXACT_INTEGER else str(value)
    text = value.isoformat() if isinstance(value, date) else str(value)
    return f"'{text}" if text.startswith(DANGEROUS) else text


def _in_any_locale(cell: str | float | Decimal) -> str | int | float:
    """Return a cell that is safe in any locale.

    If a comma separates decimals, a spreadsheet ends a cell of a CSV file at a semicolon, and a
    line end or tab inside quotes ends it too: what follows begins a cell of its own. A decimal has
    all its digits and no exponent.
    """
    if isinstance(cell, Decimal):
        return f"{cell.normalize():f}"
    return BEGINS_A_CELL.sub(r"\1'", cell) if isinstance(cell, str) else cell


def csv_bytes(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return UTF-8 with a byte order mark, as spreadsheets expect, and RFC 4180 line ends."""
    return codecs.BOM_UTF8 + csv_rows([head]) + csv_rows(rows)


def csv_rows(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return more rows of a file that is written in parts."""
    out = io.StringIO(newline="")
    safe = ([_in_any_locale(harmless(cell)) for cell in row] for row in rows)
    csv.writer(out).writerows(safe)
    return out.getvalue().encode()


def xlsx_bytes(title: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return one sheet with a frozen head and a filter.

    Every text is written as text, so formulas stay text. Days and moments are dates that a
    spreadsheet can calculate with; moments are in UTC, because its dates have no time zone.
    """
    import xlsxwriter  # noqa: PLC0415 - a worker loads it for the first workbook

    out = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(out, options) as book:
        sheet, bold = book.add_worksheet(_sheet_name(title)), book.add_format({"bold": True})
        day, moment = (book.add_format({"num_format": shape}) for shape in (DAY, MOMENT))
        for column, name in enumerate(head):
            sheet.write_string(0, column, str(harmless(name)), bold)
        last = 0
        for last, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, date) and cell.year >= FIRST_YEAR:
                    shape = moment if isinstance(cell, datetime) else day
                    sheet.write_datetime(last, column, _without_zone(cell), shape)
                    continue
                value = harmless(cell)
                (
                    sheet.write_string(last, column, value[:MAX_CELL_LENGTH])
                    if isinstance(value, str)
                    else sheet.write_number(last, column, value)
                )
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, last, len(head) - 1)
        sheet.autofit(max_width=420)
    return out.getvalue()


def _without_zone(value: date) -> date:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def _sheet_name(title: str) -> str:
    """Return a name that Excel accepts: it rejects some characters and more than 31 of them."""
    return re.sub(r"[\[\]:*?/\\]", " ", title)[:31].strip("' ") or "Table"
