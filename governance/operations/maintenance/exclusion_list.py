"""Declaration of the list of exclusions."""

from governance.kernel.pages.list_pages import Column, Filter, ListPage
from governance.operations.maintenance.models import CATEGORIES
from governance.operations.systems import queries as systems

STATES = (
    ("coming", "Under way or coming"),
    ("past", "Past"),
    ("proposed", "Awaiting approval"),
    ("rejected", "Not approved"),
    ("withdrawn", "Withdrawn"),
)


def _systems() -> list[tuple[str, str]]:
    return [(str(key), name) for key, name in systems.choices()]


EXCLUSIONS = ListPage(
    name="exclusions",
    title="Exclusions",
    noun="exclusion",
    endpoint="maintenance.index",
    search="Search exclusions",
    sort="-starts",
    carried=("month",),
    columns=(
        Column("title", "Exclusion"),
        Column("scope", "Scope", optional=True),
        Column("starts", "First start", sort=True),
        Column("repeats", "Repeats", optional=True),
        Column("announced", "Announced", optional=True),
        Column("state", "State"),
    ),
    filters=(
        Filter("state", "State", STATES),
        Filter("category", "Category", tuple(CATEGORIES.items())),
        Filter("system", "AI system", _systems),
    ),
)
