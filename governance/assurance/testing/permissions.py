"""Who looks at tests, who draws samples and records results, and who answers for what they find."""

from typing import Any

from governance.kernel.access import permission
from governance.kernel.conditions import condition, is_owner
from governance.kernel.current import Actor
from governance.kernel.visibility_scope import scope


@condition(
    "an engagement of theirs is open", "No engagement of yours is open, so you can't test now."
)
def is_in_window(_who: Actor, _control: Any) -> bool:
    held = scope()
    return held is None or held.open


@condition(
    "the control is in the scope of their engagement",
    "That control is not in the scope of your engagement.",
)
def is_in_scope(_who: Actor, control: Any) -> bool:
    held = scope()
    return held is None or held.holds(control.id)


@condition(
    "no auditor recorded it",
    "An auditor tested item {object.item.number}. Only an auditor can replace that result.",
)
def is_own_result(_who: Actor, result: Any) -> bool:
    """The tenant's own, rather than what an auditor found."""
    return not result.by_auditor


@condition(
    "they own the finding or fixed it", "You own or fixed this finding. Another person retests it."
)
def is_fixer(who: Actor, finding: Any) -> Any:
    return (finding.owner_id == who.person_id) | (finding.remedied_by == who.person_id)


VIEW = permission(
    "testing.view",
    "see Type II testing",
    roles="admin compliance_officer contributor auditor viewer",
)
TEST = permission(
    "testing.test",
    "draw samples and record test results",
    roles="admin compliance_officer auditor",
    only={"auditor": [is_in_window, is_in_scope]},
)
REPLACE = permission(
    "testing.replace",
    "replace a test result",
    roles="admin compliance_officer auditor",
    only={"admin compliance_officer": [is_own_result]},
)
MANAGE = permission(
    "testing.manage",
    "freeze populations and answer for exceptions",
    roles="admin compliance_officer",
)
REMEDY = permission(
    "testing.remedy",
    "report a finding as fixed",
    roles="admin compliance_officer contributor",
    only={"contributor": [is_owner]},
)
RETEST = permission(
    "testing.retest",
    "retest a finding",
    roles="admin compliance_officer auditor",
    unless=[is_fixer],
)
