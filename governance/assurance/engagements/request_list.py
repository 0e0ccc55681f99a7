"""The list of an engagement's requests: its declaration, and the columns of its export."""

from governance.kernel.list_pages import Column, Export, Filter, ListPage

STATES = (("open", "Open"), ("provided", "Provided"), ("returned", "Returned"), ("accepted", "Accepted"))
REQUESTS = ListPage(
    name="requests",
    title="Requests",
    noun="request",
    endpoint="engagements.requests",
    place=("engagement_id",),
    search="Search requests",
    sort="ref",
    columns=(
        Column("ref", "Request", sort=True),
        Column("criteria", "Criteria", optional=True),
        Column("owner", "Owner", optional=True),
        Column("due", "Due", optional=True),
        Column("since", "Since", sort=True, optional=True),
        Column("state", "State", sort=True),
    ),
    filters=(
        Filter("state", "State", STATES),
        Filter("owner", "Owner", (("me", "Me"),), unknown="ignored"),
    ),
    exports=(Export("csv", "engagements.export"),),
)
HEAD = ("Ref", "Request", "Details", "Criteria", "Due", "Owner", "State", "Since")
