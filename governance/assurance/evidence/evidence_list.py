"""The list page of the evidence library: columns, filters and export."""

from typing import Any
from uuid import UUID

from governance.assurance.evidence import actions, queries
from governance.assurance.evidence.freshness_sql import STATES
from governance.foundation.people import owners
from governance.kernel.pages.list_pages import Column, Export, Filter, ListPage, ListRequest
from governance.kernel.web.forms import uuid_or_none

EVIDENCE = ListPage(
    name="evidence",
    title="Evidence",
    noun="evidence item",
    endpoint="evidence.index",
    search="Search evidence",
    sort="ref",
    sorts=("title",),
    columns=(
        Column(
            "ref",
            "Evidence",
            sort=True,
            file=(
                "Ref",
                "Title",
            ),
        ),
        Column("covers", "Covers", optional=True),
        Column("source", "From", optional=True),
        Column("supports", "Supports", optional=True, file=("Controls",)),
        Column("owner", "Owner", sort=True, optional=True),
        Column("deadline", "Overdue after", sort=True, optional=True),
        Column("freshness", "Freshness", file=("State",)),
    ),
    filters=(
        Filter("state", "State", tuple((state, state.capitalize()) for state in STATES)),
        Filter("owner", "Owner", label_of=owners.filter_label),
        Filter("kind", "Kind", tuple((kind, kind.capitalize()) for kind in actions.KINDS)),
        Filter("control", "Control", kind="link", label_of=lambda _: "one control"),
    ),
    exports=tuple(Export(form, "evidence.export", {"form": form}) for form in ("csv", "xlsx")),
    bulk="evidence.assign_selected",
)
HEAD = (
    "Ref",
    "Title",
    "Kind",
    "Cadence",
    "Owner",
    "State",
    "Overdue after",
    "Covers",
    "Versions",
    "Newest SHA-256",
    "Controls",
)


def narrowed(asked: ListRequest) -> dict[str, Any]:
    """Return the arguments of `queries.library` and `queries.matching_ids`.

    An invalid id matches nothing.
    """
    owner = asked.value("owner")
    return {
        "q": asked.q,
        "state": asked.value("state"),
        "kind": asked.value("kind"),
        "owner": owner if owner in {"", "nobody"} else _id_or_nowhere(owner),
        "control": _id_or_nowhere(asked.value("control")) if asked.value("control") else None,
        "sort": asked.column,
        "descending": asked.is_descending,
    }


def _id_or_nowhere(text: str) -> UUID:
    return uuid_or_none(text) or UUID(int=0)


def cells(row: queries.EvidenceSummary) -> list[Any]:
    piece = row.piece
    refs = ", ".join(ref for _, ref, _ in row.controls)
    return [
        piece.ref,
        piece.title,
        piece.kind,
        piece.cadence,
        piece.owner,
        row.fresh.says,
        row.deadline,
        row.covers,
        len(piece.versions),
        row.last.sha256 if row.last else None,
        refs,
    ]
