"""The import kind "Reviewed blocks": findings by month, customer and guardrail.

The cost of a prevented harm is computed from it; without it, that figure isn't estimable.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from governance.economics.imports.kinds import Checked, Column, ImportKind, Row, totals
from governance.economics.revenue import import_actions
from governance.economics.revenue.file_rows import FileTable, Values, Wrong, months_of_month
from governance.economics.revenue.stored_rows import compare
from governance.economics.reviews import permissions
from governance.economics.reviews.models import GuardrailMonth

MAX_BLOCKS = 10**9
MAX_MILLISECONDS = 600_000


def _values(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "month": str(cells["month"]),
        "customer_id": cells["customer"].id,
        "dimension": cells["guardrail"],
        "confirmed": cells["confirmed"],
        "mistaken": cells["mistaken"],
        "milliseconds": cells["milliseconds"],
    }


def _wrong(values: Values) -> Wrong | None:
    for name in ("confirmed", "mistaken"):
        if values[name] > MAX_BLOCKS:
            return name, f"The number is more than {MAX_BLOCKS:,}."
    if values["milliseconds"] > MAX_MILLISECONDS:
        return "milliseconds", "A guardrail adds less than ten minutes."
    return None


GUARDRAILS = FileTable(
    noun="row",
    key=("month", "customer_id", "dimension"),
    content=("confirmed", "mistaken", "milliseconds"),
    values=_values,
    wrong=_wrong,
    months=months_of_month,
)


def check(rows: Sequence[Row]) -> Checked:
    """Compare the rows with the stored ones."""
    found = compare(GuardrailMonth, GUARDRAILS, rows)
    return found.checked(totals(found.accepted))


KIND = ImportKind(
    name="guardrails",
    label="Reviewed blocks",
    description="One row for each month, customer and guardrail: how many blocks people confirmed,"
    " how many were mistakes, and what the guardrail adds to a request.",
    permission=permissions.IMPORT,
    columns=(
        Column("month", "month"),
        Column("customer", "tenant", aliases=("tenant",)),
        Column("guardrail", aliases=("dimension",), max_length=80, example="prompt_injection"),
        Column("confirmed", "whole number", example="120"),
        Column("mistaken", "whole number", aliases=("false",), example="4"),
        Column("milliseconds", "whole number", example="85"),
    ),
    check=check,
    apply=import_actions.writer(GuardrailMonth, GUARDRAILS),
)
