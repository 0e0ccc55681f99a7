"""The definition of the finding list, and the columns of its export."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from governance.assurance.testing.exception_queries import ExceptionCase
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_pages import Column, Export, Filter, ListPage

FINDINGS = ListPage(
    name="findings",
    title="Findings",
    noun="finding",
    endpoint="testing.findings",
    search="Search findings",
    sort="urgency",
    sorts=("urgency",),
    columns=(
        Column(
            "finding",
            "Finding",
            sort=True,
            file=(
                "Ref",
                "Finding",
                "Plan",
            ),
        ),
        Column("control", "Control", optional=True),
        Column("exception", "Exception", optional=True),
        Column("owner", "Owner", optional=True),
        Column("due", "Due", sort=True, optional=True),
        Column("state", "State"),
    ),
    filters=(
        Filter(
            "state",
            "State",
            (
                ("in repair", "Being fixed"),
                ("fixed", "Fixed, awaiting retest"),
                ("closed", "Closed"),
            ),
        ),
        Filter("owner", "Owner"),
    ),
    exports=(Export("csv", "testing.export_findings"),),
    bulk="testing.assign_findings",
)
FINDING_COLUMNS = ("Ref", "Finding", "Plan", "Control", "Exception", "Owner", "Due", "State")


def finding_cells(case: ExceptionCase, owners: Mapping[UUID, str]) -> Sequence[Cell]:
    f = case.finding
    assert f is not None
    return (
        f.ref,
        f.title,
        f.plan,
        case.control.ref,
        case.exception.ref,
        owners.get(f.owner_id),
        f.due_on,
        case.word,
    )
