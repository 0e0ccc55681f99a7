"""Declaration of the intake queue."""

from governance.kernel.pages.list_pages import Column, Filter, ListPage
from governance.operations.intake.models import STATES
from governance.operations.intake.triage import EU_CLASSES, RISK_CLASSES

PROPOSALS = ListPage(
    name="proposals",
    title="Proposed AI systems",
    noun="proposal",
    endpoint="intake.index",
    search="Search proposals",
    sort="-proposed",
    columns=(
        Column("proposal", "Proposal", sort=True),
        Column("eu_class", "EU AI Act class", optional=True),
        Column("risk_class", "Risk class", optional=True),
        Column("proposer", "Proposed by", optional=True),
        Column("proposed", "Proposed", sort=True),
        Column("state", "State"),
    ),
    filters=(
        Filter("state", "State", tuple(STATES.items())),
        Filter("eu_class", "EU AI Act class", tuple(EU_CLASSES.items())),
        Filter("risk_class", "Risk class", tuple(RISK_CLASSES.items())),
    ),
)
