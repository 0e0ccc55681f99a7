"""Declaration of the list of rollouts."""

from governance.kernel.pages.list_pages import Column, Filter, ListPage
from governance.operations.rollouts.life_cycle import STATES
from governance.operations.systems import queries as systems


def _systems() -> list[tuple[str, str]]:
    return [(each.key, each.name) for each in systems.live_systems()]


ROLLOUTS = ListPage(
    name="rollouts",
    title="Rollouts",
    noun="rollout",
    endpoint="rollouts.index",
    search="Search rollouts",
    sort="-rollout",
    size=25,
    columns=(
        Column("rollout", "Rollout", sort=True),
        Column("system", "AI system", optional=True),
        Column("release", "Release"),
        Column("stage", "Stage", optional=True),
        Column("step", "Last step", optional=True),
        Column("state", "State"),
    ),
    filters=(
        Filter("state", "State", tuple(STATES.items())),
        Filter("system", "AI system", _systems, unknown="ignored"),
    ),
)
