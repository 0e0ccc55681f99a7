"""The definition of the Type II matrix as a list, and its filters."""

from collections.abc import Callable, Mapping, Sequence

from governance.assurance.testing.matrix_facts import MatrixRow
from governance.kernel.pages.list_pages import Column, Export, Filter, ListPage, ListRequest, keep

ALL_CONTROLS = "all"  # Overrides the engagement's framework, which is the default.
HAS_CHOICES = {
    "exception": "an exception",
    "missed": "a missed cycle",
    "untested": "nothing tested",
}
PERIOD_CHOICES = {"3": "3 months", "6": "6 months", "12": "12 months", "18": "18 months"}
MATRIX = ListPage(
    name="matrix",
    title="Type II",
    noun="control",
    endpoint="testing.index",
    search="Search controls",
    columns=(
        Column(
            "control",
            "Control",
            file=("Control", "Title", "Cadence", "Month", "State", "Count", "Explanation"),
        ),
        Column("tested", "Tested", optional=True, file=("Tested", "To be tested")),
        Column("performed", "Performed", extra=True, file=("Performed", "To be performed")),
        Column("exceptions", "Exceptions", extra=True),
        Column("missed", "Missed cycles", extra=True),
    ),
    filters=(
        Filter("framework", "Framework", cleared=ALL_CONTROLS, unknown="rejected"),
        Filter(
            "months", "Period", tuple(PERIOD_CHOICES.items()), any="default", unknown="rejected"
        ),
        Filter("has", "Has", tuple(HAS_CHOICES.items())),
    ),
    exports=(Export("csv", "testing.export"),),
)


def filter_rows(rows: Sequence[MatrixRow], list_request: ListRequest) -> list[MatrixRow]:
    return keep(
        rows, list_request, MATRIX_FILTERS, lambda row: f"{row.ref} {row.title} {row.cadence}"
    )


def _has(row: MatrixRow, what: str) -> bool:
    found = {
        "exception": bool(row.exceptions) or any(c.kind == "exception" for c in row.months),
        "missed": bool(row.lacks),
        "untested": not row.tested,
    }
    return found.get(what, False)


MATRIX_FILTERS: Mapping[str, Callable[[MatrixRow, str], bool]] = {
    "framework": lambda _row, _value: True,  # The query has already filtered by framework.
    "months": lambda _row, _value: True,
    "has": _has,
}
