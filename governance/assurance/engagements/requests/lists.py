"""List pages of requests: those of one engagement, and those that await the reader."""

from collections.abc import Iterator, Sequence

from governance.assurance.engagements import queries
from governance.assurance.engagements.models import AuditRequest
from governance.assurance.engagements.requests import queries as request_queries
from governance.foundation.people.aliases import shown_names
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_pages import Column, Export, Filter, ListPage

STATES = (
    ("open", "Open"),
    ("provided", "Provided"),
    ("returned", "Returned"),
    ("accepted", "Accepted"),
)
REQUESTS = ListPage(
    name="requests",
    title="Requests",
    noun="request",
    endpoint="engagements.requests",
    place=("engagement_id",),
    find_place=queries.engagement,
    search="Search requests",
    sort="ref",
    columns=(
        Column(
            "ref",
            "Request",
            sort=True,
            file=(
                "Ref",
                "Request",
            ),
        ),
        Column("criteria", "Criteria", optional=True),
        Column("owner", "Owner", optional=True),
        Column("due", "Due", optional=True),
        Column("since", "In state since", sort=True, optional=True),
        Column("state", "State", sort=True),
    ),
    filters=(
        Filter("state", "State", STATES),
        Filter("owner", "Owner", (("me", "Me"),), unknown="ignored"),
    ),
    exports=(Export("csv", "engagements.export"),),
    bulk="engagements.assign_selected",
)
CSV_HEADER = ("Ref", "Request", "Details", "Criteria", "Due", "Owner", "State", "In state since")
AWAITING_REQUESTS = ListPage(
    name="waiting_requests",
    title="My requests",
    noun="request",
    endpoint="engagements.waiting",
    search="Search requests",
    sort="due",
    columns=(
        Column(
            "request",
            "Request",
            sort=True,
            file=(
                "Ref",
                "Request",
            ),
        ),
        Column("firm", "Firm", sort=True, optional=True),
        Column("due", "Due", sort=True, optional=True),
        Column("since", "In state since", sort=True, optional=True),
        Column("state", "State"),
    ),
    filters=(Filter("state", "State", STATES[:3]), Filter("engagement", "Engagement")),
    exports=(Export("csv", "engagements.export_waiting"),),
)
AWAITING_CSV_HEADER = ("Firm", "Ref", "Request", "Due", "State", "In state since")


def csv_cells(rows: Sequence[AuditRequest]) -> Iterator[Sequence[Cell]]:
    owners = shown_names(r.owner_id for r in rows)
    for r in rows:
        yield (
            r.ref,
            r.title,
            r.detail,
            ", ".join(r.criteria),
            r.due_on,
            owners.get(r.owner_id) if r.owner_id else None,
            r.state.capitalize(),
            r.state_since,
        )


def awaiting_csv_cells(rows: Sequence[request_queries.PendingRequest]) -> Iterator[Sequence[Cell]]:
    for each in rows:
        r = each.request
        yield each.firm, r.ref, r.title, r.due_on, r.state.capitalize(), r.state_since
