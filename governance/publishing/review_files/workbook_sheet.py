"""One sheet of a workbook, written row by row: values, and formulas over cells.

sheet.head("Tenant", "Revenue", …)
sheet.line("Globex", (amount, MONEY), formula("=B2-C2", MONEY, stored))
"""

from collections.abc import Sequence
from typing import Any

from governance.kernel.files.spreadsheet_writer import harmless

NOT_ESTIMABLE = "not estimable"
FIRST = 2  # Row of a sheet's first line of data. Its head is row 1.
TEXT = "text"
MONEY, SHARE, UNIT, COUNT = "#,##0.00", "0.0%", "#,##0.000000", "#,##0"


class Sheet:
    """A sheet that is written row by row. The stored value of a formula is the review's figure."""

    def __init__(
        self, book: Any, formats: dict[str, Any], name: str, widths: Sequence[int]
    ) -> None:
        self._sheet, self._formats, self.row = book.add_worksheet(name), formats, 1
        for place, width in enumerate(widths):
            self._sheet.set_column(place, place, width)
        self._sheet.freeze_panes(1, 1)

    def head(self, *labels: str) -> None:
        for place, label in enumerate(labels):
            self._sheet.write_string(self.row - 1, place, label, self._formats["head"])
        self.row += 1

    def line(self, label: str, *cells: tuple[Any, ...], total: bool = False) -> int:
        """Write a label and its cells as (value, number format). Return the row's number.

        A text that begins with "=" is a formula, with its value after the format.
        """
        name = self._formats["total text" if total else "text"]
        self._sheet.write_string(self.row - 1, 0, str(harmless(label)), name)
        for place, cell in enumerate(cells, 1):
            self._write(place, *cell, total=total)
        self.row += 1
        return self.row - 1

    def _write(
        self, place: int, value: Any, form: str, stored: Any = None, *, total: bool = False
    ) -> None:
        look = self._formats[f"total {form}" if total else form]
        if isinstance(value, Formula):
            self._sheet.write_formula(self.row - 1, place, value.text, look, _plain(stored))
        elif value is None:
            self._sheet.write_string(self.row - 1, place, NOT_ESTIMABLE, look)
        elif isinstance(value, str):
            self._sheet.write_string(self.row - 1, place, str(harmless(value)), look)
        else:
            self._sheet.write_number(self.row - 1, place, float(value), look)


class Formula:
    """A formula of ours. No text of a customer becomes one."""

    def __init__(self, text: str) -> None:
        self.text = text


def formula(text: str, form: str, stored: Any) -> tuple[Formula, str, Any]:
    return Formula(text), form, stored


def ratio(numerator: str, denominator: str) -> str:
    return f'=IF({denominator}=0,"{NOT_ESTIMABLE}",{numerator}/{denominator})'


def _plain(value: Any) -> Any:
    return NOT_ESTIMABLE if value is None else float(value)


def column_sum(column: str, last: int) -> str:
    return f"=SUM({column}{FIRST}:{column}{last})" if last >= FIRST else "=0"


def formats_of(book: Any) -> dict[str, Any]:
    found = {"head": book.add_format({"bold": True, "bottom": 2, "text_wrap": True})}
    for name, form in (("text", "@"), *((each, each) for each in (MONEY, SHARE, UNIT, COUNT))):
        found[name] = book.add_format({"num_format": form})
        found[f"total {name}"] = book.add_format({"num_format": form, "bold": True, "top": 2})
    return found
