"""The definition of the exception list, and the columns of its export."""

from collections.abc import Sequence

from governance.assurance.testing.exception_queries import ExceptionCase
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_pages import Column, Export, Filter, ListPage

EXCEPTIONS = ListPage(
    name="exceptions",
    title="Exceptions",
    noun="exception",
    endpoint="testing.exceptions",
    search="Search exceptions",
    sort="-found",
    columns=(
        Column("exception", "Exception", file=("Ref", "Exception", "Control", "Item")),
        Column("found", "Found", sort=True, optional=True, file=("Found (UTC)",)),
        Column("cause", "Cause", extra=True),
        Column("response", "Response", extra=True),
        Column("finding", "Finding", optional=True, file=("Finding", "Due")),
        Column("state", "State"),
    ),
    filters=(Filter("state", "State"),),
    exports=(Export("csv", "testing.export_exceptions"),),
)
EXCEPTION_COLUMNS = (
    "Ref",
    "Exception",
    "Control",
    "Item",
    "Found (UTC)",
    "Cause",
    "Response",
    "Finding",
    "Due",
    "State",
)


def exception_cells(case: ExceptionCase) -> Sequence[Cell]:
    e, f = case.exception, case.finding
    return (
        e.ref,
        e.says,
        case.control.ref,
        case.what,
        f"{e.created_at:%Y-%m-%d %H:%M:%S}",
        e.cause,
        e.response,
        f.ref if f else None,
        f.due_on if f else None,
        case.word,
    )
