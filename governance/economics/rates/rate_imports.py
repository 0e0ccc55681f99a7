"""The import kind "Exchange rates": one line per month and currency."""

from collections.abc import Sequence

from governance.economics.imports.kinds import Checked, Column, ImportKind, Rejection, Row, totals
from governance.economics.imports.models import FileImport
from governance.economics.rates import actions, permissions, queries
from governance.economics.rates.conversion import check_rate
from governance.kernel.errors import Invalid


def check(rows: Sequence[Row]) -> Checked:
    """Reject rates of the reporting currency, rates of future months, and duplicates."""
    reporting, present = queries.reporting_currency(), actions.present_month()
    lines: dict[tuple[object, object], int] = {}
    accepted, rejected = [], []
    for row in rows:
        month, currency = row.values["month"], row.values["currency"]
        first = lines.setdefault((month, currency), row.line)
        why: tuple[str, str] | None
        if first != row.line:
            why = ("month", f"Line {first} has the rate of {currency} in {month} already.")
        elif currency == reporting:
            why = ("currency", f"{currency} is the reporting currency: its rate is always 1.")
        elif month > present:
            why = ("month", f"{month.long_name} is still to come.")
        else:
            why = _wrong(row)
        if why:
            rejected.append(Rejection(row.line, *why))
        else:
            accepted.append(row)
    return Checked(accepted, rejected, totals(accepted), [("Reporting currency", reporting)])


def _wrong(row: Row) -> tuple[str, str] | None:
    try:
        check_rate(row.values["rate"])
    except Invalid as wrong:
        return "rate", wrong.message
    return None


def apply(_file_import: FileImport, rows: Sequence[Row]) -> None:
    """Enter each rate like the form does. A rate that already exists changes nothing."""
    for row in rows:
        values = row.values
        actions.enter_rate(
            values["month"], values["currency"], values["rate"], source=values["source"]
        )


RATES = ImportKind(
    name="rates",
    label="Exchange rates",
    description="One line for each month and currency: what one unit is worth.",
    permission=permissions.EDIT,
    columns=(
        Column("month", "month"),
        Column("currency", "currency", example="USD"),
        Column("rate", "amount", example="0.9207"),
        Column("source", max_length=200, example="ECB, monthly average"),
    ),
    check=check,
    apply=apply,
    applied_page="operator_rates.index",
)
