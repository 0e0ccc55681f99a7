"""Permissions to take part in approvals at all.

Which of them a person sees and decides follows from the kind (`queries.visible`).
"""

from governance.kernel.safety.access import permission

VIEW = permission(
    "approvals.view",
    "view approvals",
    roles="admin compliance_officer contributor operator_admin operator_finance",
)
DECIDE = permission(
    "approvals.decide",
    "decide on approvals or withdraw their own requests",
    roles="admin compliance_officer contributor operator_admin operator_finance",
)
