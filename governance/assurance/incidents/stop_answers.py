"""The incident link on the page of a stop."""

from flask import url_for

from governance.assurance.incidents import permissions, queries
from governance.kernel.safety.access import allowed
from governance.kernel.safety.visibility_scope import limits
from governance.operations.switches.models import Stop


def incident_of(stop: Stop) -> tuple[str, str] | None:
    """Return the verb and URL of the stop's incident, or of declaring one from it."""
    if stop.drill_id is not None or not allowed(permissions.VIEW) or limits() is not None:
        return None
    incident_id, ref, is_suggested = queries.incident_around(stop)
    if incident_id is not None:
        return f"Open {ref}", url_for("incidents.incident", incident_id=incident_id)
    if not is_suggested or not allowed(permissions.DECLARE):
        return None
    return "Declare incident…", url_for("incidents.suggestion", stop_id=stop.id)
