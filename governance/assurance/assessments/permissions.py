"""Permissions of assessments: one person concludes, another signs off."""

from typing import Any

from governance.foundation.people.own_accounts import own_accounts
from governance.kernel.current import Actor
from governance.kernel.safety.access import permission
from governance.kernel.safety.conditions import condition


@condition(
    "they wrote the conclusion",
    "You wrote the conclusion, so another person must sign it off or return it. You can revise it.",
)
def is_assessor(who: Actor, conclusion: Any) -> Any:
    return who.person_id is not None and conclusion.concluded_by == who.person_id


@condition(
    "they have the same email address as its assessor",
    "You have the same email address as the person who wrote the conclusion, so another person"
    " must sign it off or return it.",
)
def has_address_of_assessor(who: Actor, conclusion: Any) -> bool:
    return conclusion.concluded_by in own_accounts(who)


VIEW = permission(
    "assessments.view",
    "view assessments and coverage",
    roles="admin compliance_officer contributor auditor viewer",
)
MANAGE = permission(
    "assessments.manage", "start, manage or close an assessment", roles="admin compliance_officer"
)
CONCLUDE = permission(
    "assessments.conclude", "write a conclusion", roles="admin compliance_officer"
)
SIGN = permission(
    "assessments.sign",
    "sign off a conclusion",
    roles="admin compliance_officer",
    unless=[is_assessor, has_address_of_assessor],
)
READ_COMMENTS = permission(
    "assessments.comments",
    "read comments on requirements",
    roles="admin compliance_officer contributor viewer",
)
COMMENT = permission(
    "assessments.comment",
    "comment on a requirement",
    roles="admin compliance_officer contributor",
)
