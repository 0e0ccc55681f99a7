"""Permissions to propose AI systems, and to review proposals."""

from typing import Any

from governance.kernel.current import Actor
from governance.kernel.safety.access import permission
from governance.kernel.safety.conditions import condition


@condition("they proposed it", "Only the person who proposed {object.ref} can {means}.")
def is_proposer(who: Actor, proposal: Any) -> Any:
    return who.person_id is not None and proposal.proposed_by == who.person_id


@condition(
    "they proposed it", "You proposed {object.ref} yourself, so another person sets its classes."
)
def is_own_proposal(who: Actor, proposal: Any) -> Any:
    return who.person_id is not None and proposal.proposed_by == who.person_id


VIEW = permission(
    "intake.view",
    "view proposed AI systems",
    roles="admin compliance_officer contributor auditor viewer",
)
PROPOSE = permission(
    "intake.propose", "propose an AI system", roles="admin compliance_officer contributor"
)
EDIT = permission(
    "intake.edit",
    "change the answers of a proposal",
    roles="admin compliance_officer contributor",
    only={"admin compliance_officer contributor": [is_proposer]},
)
CLASSIFY = permission(
    "intake.classify",
    "set the classes of a proposal",
    roles="admin compliance_officer",
    unless=[is_own_proposal],
)
REVIEW = permission(
    "intake.review",
    "approve and reject proposed AI systems",
    roles="admin compliance_officer",
)
