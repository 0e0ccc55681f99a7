"""The list of playbooks: columns, filters and export."""

from collections.abc import Sequence
from datetime import datetime

from governance.assurance.playbooks.models import Playbook
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_pages import Column, Export, Filter, ListPage

PLAYBOOKS = ListPage(
    name="playbooks",
    title="Playbooks",
    noun="playbook",
    endpoint="playbooks.index",
    search="Search playbooks",
    sort="title",
    size=25,
    columns=(
        Column(
            "title",
            "Playbook",
            sort=True,
            file=(
                "Ref",
                "Playbook",
                "When to use it",
            ),
        ),
        Column("version", "Version", optional=True, numeric=True),
        Column("owner", "Owner", optional=True),
        Column("run", "Last run", optional=True),
        Column("drill", "Next drill", sort=True, optional=True),
    ),
    filters=(
        Filter("state", "State", (("live", "Live"), ("due", "Drill due"), ("retired", "Retired"))),
    ),
    exports=(Export("csv", "playbooks.export"),),
    bulk="playbooks.assign_selected",
)
CSV_HEADER = ("Ref", "Playbook", "When to use it", "Version", "Owner", "Last run", "Next drill")


def csv_cells(book: Playbook, owner: str | None, last_run: datetime | None) -> Sequence[Cell]:
    return (
        book.ref,
        book.title,
        book.used_for,
        book.version,
        owner,
        last_run,
        book.next_drill_on,
    )
