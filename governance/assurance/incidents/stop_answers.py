"""What the page of a stop shows of incidents: its own, the one that it answered, or a new one."""

from flask import url_for

from governance.assurance.incidents import permissions, queries
from governance.kernel.access import allowed
from governance.kernel.visibility_scope import limits
from governance.operations.switches.models import Stop


def incident_of(stop: Stop) -> tuple[str, str] | None:
    """Return the verb and address of the stop's incident, or of declaring one from it."""
    if stop.drill_id is not None or not allowed(permissions.VIEW) or limits() is not None:
        return None
    found = queries.incident_of_stop(stop.id) or queries.incident_during(stop)
    if found is not None:
        return f"Open {found.ref}", url_for("incidents.incident", incident_id=found.id)
    suggested = queries.suggestion(stop.id)
    if suggested is None or suggested.settled_at is not None or not allowed(permissions.DECLARE):
        return None
    return "Declare incident…", url_for("incidents.suggestion", stop_id=stop.id)
