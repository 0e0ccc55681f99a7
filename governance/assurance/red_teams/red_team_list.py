"""The definition of the list of red teams."""

from governance.assurance.red_teams.models import TEAM_KINDS
from governance.kernel.pages.list_pages import Column, Filter, ListPage
from governance.operations.systems import queries as systems


def _systems() -> list[tuple[str, str]]:
    return [(each.key, each.name) for each in systems.live_systems()]


RED_TEAMS = ListPage(
    name="red_teams",
    title="Red teams",
    noun="red team",
    endpoint="red_teams.index",
    search="Search red teams",
    sort="-red_team",
    size=25,
    columns=(
        Column("red_team", "Red team", sort=True),
        Column("system", "AI system", optional=True),
        Column("release", "Release", optional=True),
        Column("window", "Window", sort=True),
        Column("tried", "Scenarios tried", optional=True, numeric=True),
        Column("findings", "Findings", numeric=True),
        Column("state", "State"),
    ),
    filters=(
        Filter("kind", "Testers", tuple(TEAM_KINDS.items())),
        Filter("system", "AI system", _systems, unknown="ignored"),
    ),
)
