"""The list of AI systems: declaration and export columns."""

from collections.abc import Sequence
from typing import NamedTuple

from governance.kernel.pages.list_pages import Column, Export, FileColumn, Filter, ListPage
from governance.operations.systems.models import AI_ACT_CLASSES, KINDS, LANES, STAGES, AISystem

LIVE_STAGES = tuple((stage, name) for stage, name in STAGES.items() if stage != "retired")
UNCLASSIFIED = "unclassified"


class SystemRow(NamedTuple):
    """A row of the exported file."""

    system: AISystem
    owner: str | None


def _retired(row: SystemRow) -> str | None:
    return row.system.retired_at.date().isoformat() if row.system.retired_at else None


SYSTEM_FILE: Sequence[FileColumn[SystemRow]] = (
    FileColumn("Slug", lambda row: row.system.key, "system"),
    FileColumn("Name", lambda row: row.system.name, "system"),
    FileColumn("Risk class", lambda row: row.system.lane_name, "lane"),
    FileColumn("Purpose", lambda row: row.system.purpose, "purpose"),
    FileColumn("Owner", lambda row: row.owner, "owner"),
    FileColumn("Registered", lambda row: row.system.created_at.date().isoformat(), "registered"),
    FileColumn("Retired", _retired, "registered"),
    FileColumn("Kind", lambda row: row.system.kind_name, "kind"),
    FileColumn("Stage", lambda row: row.system.stage_name, "stage"),
    FileColumn("EU AI Act", lambda row: AI_ACT_CLASSES.get(row.system.ai_act_class), "ai_act"),
    FileColumn("Team", lambda row: row.system.team, "team"),
)
SYSTEMS = ListPage(
    name="systems",
    title="AI systems",
    noun="system",
    endpoint="systems.index",
    search="Search systems",
    sort="system",
    columns=(
        Column("system", "System", sort=True),
        Column("lane", "Risk class", sort=True, optional=True),
        Column("purpose", "Purpose", optional=True),
        Column("owner", "Owner", optional=True),
        Column("registered", "Registered", sort=True, optional=True),
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
    file=SYSTEM_FILE,
    bulk="systems.assign_selected",
)
