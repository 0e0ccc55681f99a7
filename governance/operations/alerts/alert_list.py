"""Declaration of the list of alerts."""

from governance.kernel.pages.list_pages import Column, Filter, ListPage
from governance.operations.alerts.models import SEVERITIES, STATES

ALERTS = ListPage(
    name="alerts",
    title="Alerts",
    noun="alert",
    endpoint="alerts.index",
    search="Search alerts",
    columns=(
        Column("alert", "Alert"),
        Column("objective", "Objective"),
        Column("severity", "Severity"),
        Column("fired", "Fired"),
        Column("resolved", "Resolved", optional=True),
        Column("acknowledged", "Acknowledged by", optional=True),
        Column("incident", "Incident", optional=True),
        Column("state", "State"),
    ),
    filters=(
        Filter("state", "State", (("open", "Not resolved"), *STATES.items())),
        Filter("severity", "Severity", tuple(SEVERITIES.items())),
        Filter("objective", "Objective", kind="link"),
    ),
)
