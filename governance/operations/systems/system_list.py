"""The list of AI systems: its declaration, and the columns of its export."""

from governance.kernel.list_pages import Column, Export, Filter, ListPage
from governance.operations.systems.models import AI_ACT_CLASSES, KINDS, LANES, STAGES

LIVE_STAGES = tuple((stage, name) for stage, name in STAGES.items() if stage != "retired")
UNCLASSIFIED = "unclassified"

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
        Column("kind", "Kind", optional=True),
        Column("stage", "Stage", sort=True, optional=True),
        Column("ai_act", "EU AI Act", optional=True),
        Column("team", "Team", extra=True),
    ),
    filters=(
        Filter("stage", "Stage", LIVE_STAGES, unknown="ignored"),
        Filter("lane", "Risk class", tuple(LANES.items()), unknown="ignored"),
        Filter(
            "class",
            "EU AI Act",
            (*AI_ACT_CLASSES.items(), (UNCLASSIFIED, "Not classified yet")),
            unknown="ignored",
        ),
        Filter("kind", "Kind", tuple(KINDS.items()), unknown="ignored"),
        Filter("state", "State", (("retired", "retired"),), any="live", unknown="ignored"),
    ),
    exports=(Export("csv", "systems.export"),),
    bulk="systems.assign_selected",
)
HEAD = (
    "Slug",
    "Name",
    "Risk class",
    "Purpose",
    "Owner",
    "Registered",
    "Retired",
    "Kind",
    "Stage",
    "EU AI Act",
    "Team",
)
