"""Permissions to view and to close evaluation findings."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "evaluation_findings.view",
    "view findings of evaluations and the controls that rest on measures",
    roles="admin compliance_officer contributor auditor viewer",
)
CLOSE = permission(
    "evaluation_findings.close",
    "close findings of evaluations",
    roles="admin compliance_officer",
)
MAP = permission(
    "evaluation_findings.map",
    "choose the controls that rest on a measure of an evaluation suite",
    roles="admin compliance_officer",
)
