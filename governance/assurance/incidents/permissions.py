"""Permissions for incidents.

Everyone who works for the tenant declares incidents and writes notes. A contributor manages those
in which they have a role. An auditor whose engagement is limited in scope can't open these pages:
incidents concern systems, and scopes limit controls.
"""

from typing import Any

from sqlalchemy import or_

from governance.kernel.current import Actor
from governance.kernel.safety.access import permission
from governance.kernel.safety.conditions import condition

READERS = "admin compliance_officer contributor auditor viewer"
WRITERS = "admin compliance_officer contributor"


def _role_in_sql(who: Actor, model: Any) -> Any:
    roles = (model.lead_id, model.communications_id, model.scribe_id)
    return or_(*(each == who.person_id for each in roles))


@condition(
    "they have a role in it",
    "You have no role in {object.ref}. Only its lead, communications or scribe{others} can {means}.",
    sql=_role_in_sql,
)
def has_role(who: Actor, incident: Any) -> bool:
    """Check whether the person is the incident's lead, communications or scribe."""
    roles = (incident.lead_id, incident.communications_id, incident.scribe_id)
    return who.person_id is not None and who.person_id in roles


VIEW = permission("incidents.view", "view incidents", roles=READERS)
DECLARE = permission("incidents.declare", "declare incidents", roles=WRITERS)
NOTE = permission("incidents.note", "add notes and figures to incidents", roles=WRITERS)
MANAGE = permission(
    "incidents.manage",
    "change incidents",
    roles=WRITERS,
    only={"contributor": [has_role]},
)
DRAFT = permission(
    "incidents.draft",
    "draft customer updates",
    roles=WRITERS,
    only={"contributor": [has_role]},
)
CLASSIFY = permission(
    "incidents.classify",
    "decide which laws apply to an incident, or record notices",
    roles="admin compliance_officer",
)
APPROVE = permission(
    "incidents.approve", "approve customer updates", roles="admin compliance_officer"
)
CLOSE = permission("incidents.close", "close incidents", roles="admin compliance_officer")
SETTINGS = permission(
    "incidents.settings",
    "rename severities or manage status page contacts",
    roles="admin compliance_officer",
)
