"""Parsing of table cells: text in, a typed value or the reason for rejection out. Pure."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from governance.economics.formulas import currencies
from governance.economics.imports.kinds import CellKind, Column, Customer
from governance.kernel.months import Month

MAX_DIGITS, MAX_DECIMALS = 12, 8  # of an amount
FIRST_YEAR, LAST_YEAR = 2000, 2100
SHOWN = 40  # characters of a cell quoted in a reason
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
SERIAL = re.compile(r"\d{5}(\.\d+)?")
SLASHED = re.compile(r"\d{1,4}[/.\-]\d{1,2}[/.\-]\d{1,4}")
AMOUNT = re.compile(rf"-?\d{{1,{MAX_DIGITS}}}(\.\d{{1,{MAX_DECIMALS}}})?")
EXPONENT = re.compile(r"-?\d+(\.\d*)?[eE][+-]?\d+")
GROUPED = re.compile(
    r"-?\d{1,3}([,.' \u00a0\u202f]\d{3})*[,.]\d{1,2}|-?\d{1,3}([,' \u00a0\u202f]\d{3})+"
)
WHOLE = re.compile(r"-?\d{1,15}")
FORMULA = ("=", "@", "\t")
type Customers = Mapping[str, Customer]


class WrongCell(Exception):
    """Raised if a cell can't be read. The message is a sentence for the user."""


def read_cell(column: Column, text: str, customers: Customers) -> Any:
    """Parse a cell. Returns None for an empty optional cell. Raises WrongCell."""
    text = text.strip()
    if not text:
        if column.required:
            raise WrongCell("The cell is empty. Enter a value.")
        return None
    if text.startswith(FORMULA) or _is_formula(text):
        raise WrongCell(f"“{_shown(text)}” looks like a formula. Replace it with its value.")
    if column.kind == "tenant":
        return _customer(text, customers)
    return READERS[column.kind](column, text)


def _is_formula(text: str) -> bool:
    """Return whether a spreadsheet would execute a text that begins with a sign."""
    return text[0] in "+-" and text[1:2].isalpha() and "(" in text


def _shown(text: str) -> str:
    """Return a cell's text for a reason: shortened, and without unprintable characters."""
    short = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return "".join(c if c.isprintable() else "?" for c in short)


def _text(column: Column, text: str) -> str:
    if len(text) > column.max_length:
        raise WrongCell(f"The text has {len(text):,} characters; {column.max_length} fit.")
    if not text.isprintable():
        raise WrongCell("The text has a line break or another character that can't be shown.")
    return text


def _customer(text: str, customers: Customers) -> Customer:
    found = customers.get(text)
    if found is None:
        raise WrongCell(f"No customer has the slug “{_shown(text)}”.")
    return found


def _date(_column: Column, text: str) -> date:
    if SERIAL.fullmatch(text):
        raise WrongCell(
            f"{text} is a day as Excel counts it. Format the column as 2026-12-31, then save the"
            " file as CSV again."
        )
    if not DAY.fullmatch(text):
        if SLASHED.fullmatch(text):
            raise WrongCell(
                f"{text} can mean two different days. Write the year first, such as 2026-12-31."
            )
        raise WrongCell(f"“{_shown(text)}” isn't a day. Write one such as 2026-12-31.")
    try:
        return _known(date.fromisoformat(text))
    except ValueError:
        raise WrongCell(f"{text} isn't a day of the calendar.") from None


def _known[D: (date, datetime)](day: D) -> D:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise WrongCell(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.")
    return day


def _month(column: Column, text: str) -> Month:
    if DAY.fullmatch(text) and text.endswith("-01"):
        text = text[:7]
    try:
        month = Month.parse(text)
    except ValueError:
        if SERIAL.fullmatch(text) or SLASHED.fullmatch(text):
            _date(column, text)  # raises with a more precise reason
        raise WrongCell(f"“{_shown(text)}” isn't a month. Write one such as 2026-12.") from None
    if not FIRST_YEAR <= month.year <= LAST_YEAR:
        raise WrongCell(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.")
    return month


def _instant(_column: Column, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or len(text) <= len("2026-12-31"):
        raise WrongCell(
            f"“{_shown(text)}” isn't an instant. Write one such as 2026-12-31T09:30:00Z."
        )
    if found.tzinfo is None:
        raise WrongCell("The instant has no time zone. Add Z for UTC.")
    return _known(found)


def _whole(column: Column, text: str) -> int:
    if not WHOLE.fullmatch(text):
        if AMOUNT.fullmatch(text):
            raise WrongCell(f"{text} isn't a whole number.")
        _check_number(text)
        raise WrongCell(f"“{_shown(text)}” isn't a whole number of up to 15 digits.")
    number = int(text)
    if number < 0 and not column.negative:
        raise WrongCell("The number is negative.")
    return number


def _amount(column: Column, text: str) -> Decimal:
    if not AMOUNT.fullmatch(text):
        _check_number(text)
        raise WrongCell(
            f"“{_shown(text)}” isn't an amount of up to {MAX_DIGITS} digits and {MAX_DECIMALS}"
            " decimals. Write one such as 1234.50."
        )
    amount = Decimal(text)
    if amount < 0 and not column.negative:
        raise WrongCell("The amount is negative.")
    return amount + 0  # turns -0 into 0


def _check_number(text: str) -> None:
    """Raise WrongCell with a precise reason for an exponent or thousands separators."""
    if EXPONENT.fullmatch(text):
        raise WrongCell(f"{_shown(text)} has an exponent. Write all digits, such as 1234.50.")
    if GROUPED.fullmatch(text):
        raise WrongCell(
            f"{_shown(text)} can mean two different numbers. Write 1234.50, with a point before the"
            " decimals and nothing between thousands."
        )


def _currency(_column: Column, text: str) -> str:
    if not currencies.is_currency(text):
        raise WrongCell(f"“{_shown(text)}” isn't a currency. Write a code such as EUR.")
    return text


def _choice(column: Column, text: str) -> str:
    wanted = text.casefold()
    for each in column.choices:
        if each.casefold() == wanted:
            return each
    raise WrongCell(f"“{_shown(text)}” isn't one of {', '.join(column.choices)}.")


READERS: Mapping[CellKind, Callable[[Column, str], Any]] = {
    "text": _text,
    "date": _date,
    "month": _month,
    "instant": _instant,
    "whole number": _whole,
    "amount": _amount,
    "currency": _currency,
    "choice": _choice,
}
EXAMPLES: Mapping[CellKind, str] = {
    "text": "text",
    "date": "2026-10-31",
    "month": "2026-10",
    "instant": "2026-10-31T09:30:00Z",
    "whole number": "12",
    "amount": "1234.50",
    "currency": "EUR",
    "tenant": "acme",
    "choice": "",
}


def example(column: Column) -> str:
    """Return the example cell of a column in the template."""
    return column.example or (column.choices[0] if column.choices else EXAMPLES[column.kind])
