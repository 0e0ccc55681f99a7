"""Permissions to view Type II testing, draw samples, record results and respond to exceptions."""

from typing import Any

from governance.kernel.current import Actor
from governance.kernel.safety.access import permission
from governance.kernel.safety.conditions import condition, is_owner
from governance.kernel.safety.visibility_scope import scope


@condition("they have an open engagement", "You have no open engagement, so you can't test now.")
def is_in_window(_who: Actor, _control: Any) -> bool:
    auditor_scope = scope()
    return auditor_scope is None or auditor_scope.open


@condition(
    "the control is in the scope of their engagement",
    "This control isn't in the scope of your engagement.",
)
def is_in_scope(_who: Actor, control: Any) -> bool:
    auditor_scope = scope()
    return auditor_scope is None or auditor_scope.holds(control.id)


@condition(
    "no auditor recorded it",
    "An auditor tested item {object.item.number}. Only an auditor can replace the result.",
)
def is_own_result(_who: Actor, result: Any) -> bool:
    """Check whether the tenant, rather than an auditor, recorded the result."""
    return not result.by_auditor


@condition(
    "they own the finding or fixed it",
    "You own or fixed this finding, so another person must retest it.",
)
def is_fixer(who: Actor, finding: Any) -> Any:
    return (finding.owner_id == who.person_id) | (finding.remedied_by == who.person_id)


VIEW = permission(
    "testing.view",
    "view Type II testing",
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
    "freeze populations and respond to exceptions",
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
