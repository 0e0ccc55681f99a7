"""The list of a collector's runs: its definition and the columns of its export."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from governance.assurance.collectors import queries
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_pages import Column, Export, Filter, ListPage

STATES = {
    "filed": "Collected",
    "nothing": "No evidence found",
    "missed": "Missed",
    "under_way": "In progress",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
RUNS = ListPage(
    name="collector_runs",
    title="Runs",
    noun="run",
    endpoint="collectors.collector",
    place=("key",),
    find_place=queries.collector_status,
    search="Search runs",
    sort="-run",
    size=25,
    columns=(
        Column("period", "Period"),
        Column("run", "Run", sort=True),
        Column("rows", "Rows", optional=True, numeric=True),
        Column("found", "Result", optional=True),
        Column("state", "State"),
        Column("file", "File", silent=True, file=("Evidence",)),
    ),
    filters=(
        Filter("state", "State", tuple(STATES.items())),
        Filter("by", "Started", (("schedule", "On schedule"), ("hand", "Manually"))),
    ),
    exports=(Export("csv", "collectors.export_runs"),),
)
HEAD = ("Period", "Run", "Rows", "SHA-256 of the rows", "Result", "State", "Evidence")


def cells(seen: queries.RunStatus, files: Mapping[UUID, tuple[UUID, str, int]]) -> Sequence[Cell]:
    run, file = (
        seen.run,
        files.get(seen.run.evidence_version_id) if seen.run.evidence_version_id else None,
    )
    filed = f"{file[1]} version {file[2]}" if file else None
    return (
        run.period,
        run.ran_at or run.created_at,
        run.rows,
        run.sha256,
        seen.sentence,
        seen.word,
        filed,
    )
