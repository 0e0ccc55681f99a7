"""The list of checkpoints: its declaration, and the columns of its CSV export."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from governance.foundation.anchors.models import Receipt
from governance.foundation.anchors.queries import anchors, receipts
from governance.foundation.audit.models import Checkpoint
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_pages import Column, Export, Filter, ListPage

OUTSIDE = {"agrees": "Confirmed", "conflict": "Contradicted", "none": "Not sent to any"}
ANSWERS = {"agrees": "confirmed", "conflict": "contradicted", "refuses": "rejected"}
CHECKPOINTS = ListPage(
    name="checkpoints",
    title="Checkpoints",
    noun="checkpoint",
    endpoint="logbook.checkpoints",
    carried=("from", "to"),
    search="Search by number or root",
    sort="-number",
    columns=(
        Column("number", "Checkpoint", sort=True, numeric=True),
        Column("entries", "Entries", optional=True, numeric=True),
        Column("signed", "Signed", optional=True),
        Column("root", "Root", optional=True, file=("Root (SHA-256)",)),
        Column("key", "Key", optional=True),
        Column("outside", "External witnesses", optional=True),
        Column("actions", "Actions", silent=True),
    ),
    filters=(
        Filter("outside", "External witnesses", tuple(OUTSIDE.items())),
        Filter("key", "Key"),
    ),
    exports=(Export("csv", "logbook.export_checkpoints"),),
)
HEAD = ("Checkpoint", "Entries", "Signed", "Root (SHA-256)", "Key", "External witnesses")


def witness_names() -> dict[UUID, str]:
    """Return the names of the external witnesses by id."""
    return {each.id: each.name for each in anchors()}


def cells(shown: Collection[Checkpoint]) -> list[Sequence[Cell]]:
    found = receipts([each.id for each in shown]) if shown else {}
    names = witness_names()
    return [
        (
            c.number,
            c.size,
            c.at,
            c.root.hex(),
            c.key_id,
            ", ".join(_answer(each, names) for each in found.get(c.id, [])),
        )
        for c in shown
    ]


def _answer(receipt: Receipt, names: Mapping[UUID, str]) -> str:
    answer = ANSWERS.get(receipt.outcome, receipt.outcome)
    return f"{names.get(receipt.anchor_id, 'removed witness')} {answer}"
