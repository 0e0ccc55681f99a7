"""The list of data sets: columns, filters, and its export."""

from collections.abc import Sequence

from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_pages import Column, Export, Filter, ListPage
from governance.operations.datasets.models import PURPOSES
from governance.operations.datasets.queries import DataSetRow
from governance.operations.datasets.states import STATES
from governance.operations.systems import queries as systems

DATA_SETS = ListPage(
    name="data_sets",
    title="Data sets",
    noun="data set",
    endpoint="datasets.index",
    search="Search data sets",
    sort="name",
    size=25,
    columns=(
        Column("name", "Data set", sort=True, file=("Slug", "Data set")),
        Column("version", "Version", optional=True, numeric=True),
        Column("systems", "Used by", optional=True),
        Column("licence", "Licence", optional=True),
        Column("consent", "Consent until", sort=True, optional=True),
        Column("newest", "Newest record", sort=True, optional=True),
        Column("rows", "Rows", extra=True, numeric=True),
        Column("duplicates", "Duplicates", extra=True, numeric=True, file=("Duplicates, %",)),
        Column("owner", "Owner", optional=True),
        Column("state", "State"),
    ),
    filters=(
        Filter("state", "State", tuple(STATES.items()), any="not retired"),
        Filter("system", "AI system", systems.choices, unknown="ignored"),
        Filter("purpose", "Used for", tuple(PURPOSES.items())),
    ),
    exports=(Export("csv", "datasets.export"),),
    bulk="datasets.assign_selected",
)
CSV_HEADER = (
    "Slug",
    "Data set",
    "Version",
    "Used by",
    "Licence",
    "Consent until",
    "Newest record",
    "Rows",
    "Duplicates, %",
    "Owner",
    "State",
)


def csv_cells(row: DataSetRow, used_by: Sequence[str], owner: str | None) -> Sequence[Cell]:
    version = row.version
    return (
        row.data_set.key,
        row.data_set.name,
        row.data_set.version or None,
        ", ".join(used_by),
        (version.licence or "own licence") if version else None,
        version.consent_until if version else None,
        version.newest_record if version else None,
        version.row_count if version else None,
        float(version.duplicate_percent)
        if version and version.duplicate_percent is not None
        else None,
        owner,
        STATES[row.state],
    )
