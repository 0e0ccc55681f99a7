"""Permissions to see, invite and remove members, and to manage what is one's own."""

from typing import Any

from governance.kernel.current import Actor
from governance.kernel.safety.access import permission
from governance.kernel.safety.conditions import condition

EVERYBODY = (
    "admin compliance_officer contributor auditor viewer operator_admin operator_finance"
    " operator_support"
)

NOT_ADMINS = "compliance_officer contributor auditor viewer operator_finance operator_support"


@condition("it is their own session", "This session doesn't exist or has ended.", hides=True)
def is_own_session(who: Actor, session: Any) -> Any:
    return who.person_id is not None and session.person_id == who.person_id


OWN = permission("people.own", "use Meridian", roles=EVERYBODY)
MEMBERS = permission(
    "people.members", "view members", roles="admin compliance_officer operator_admin"
)
MANAGE = permission(
    "people.manage", "invite, change or remove members", roles="admin operator_admin"
)
END_SESSION = permission(
    "people.end_session", "end a session", roles=EVERYBODY, only={NOT_ADMINS: [is_own_session]}
)
NAMES = permission(
    "people.names",
    "view names in place of pseudonyms",
    roles="admin compliance_officer contributor viewer operator_admin",
)
