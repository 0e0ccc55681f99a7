"""The list of changes for customers: its declaration."""

from governance.kernel.pages.list_pages import Column, Filter, ListPage
from governance.operations.systems import queries as systems
from governance.publishing.change_log.models import KINDS, STATES


def _systems() -> list[tuple[str, str]]:
    return [(each.key, each.name) for each in systems.live_systems()]


CHANGES = ListPage(
    name="customer_changes",
    title="Change log",
    noun="change",
    endpoint="change_log.index",
    search="Search changes",
    sort="-change",
    size=25,
    columns=(
        Column("change", "Change", sort=True),
        Column("system", "AI system", optional=True),
        Column("kind", "Kind", optional=True),
        Column("happened", "Happened", optional=True),
        Column("published", "Published", optional=True),
        Column("state", "State"),
    ),
    filters=(
        Filter("state", "State", tuple(STATES.items())),
        Filter("kind", "Kind", tuple(KINDS.items())),
        Filter("system", "AI system", _systems, unknown="ignored"),
    ),
)
