"""The list of AI systems: its declaration, and the columns of its export."""

from governance.kernel.list_pages import Column, Export, Filter, ListPage
from governance.operations.systems.models import LANES

SYSTEMS = ListPage(
    name="systems",
    title="AI systems",
    noun="system",
    endpoint="systems.index",
    search="Search systems",
    sort="system",
    columns=(
        Column(
            "system",
            "System",
            sort=True,
            file=(
                "Slug",
                "Name",
            ),
        ),
        Column("lane", "Risk class", sort=True, optional=True),
        Column("purpose", "Purpose", optional=True),
        Column("owner", "Owner", optional=True),
        Column(
            "registered",
            "Registered",
            sort=True,
            optional=True,
            file=(
                "Registered",
                "Retired",
            ),
        ),
    ),
    filters=(
        Filter("lane", "Risk class", tuple(LANES.items()), unknown="ignored"),
        Filter("state", "State", (("retired", "retired"),), any="live", unknown="ignored"),
    ),
    exports=(Export("csv", "systems.export"),),
    bulk="systems.assign_selected",
)
HEAD = ("Slug", "Name", "Risk class", "Purpose", "Owner", "Registered", "Retired")
