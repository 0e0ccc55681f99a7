"""Permissions for evaluations."""

from governance.kernel.safety.access import permission, scope

EVALUATIONS_WRITE = scope("evaluations:write", "push evaluation runs")

VIEW = permission(
    "evaluations.view",
    "view evaluation suites, runs and verdicts",
    roles="admin compliance_officer contributor auditor viewer",
)
MANAGE = permission(
    "evaluations.manage",
    "create, publish and withdraw evaluation suites and judges",
    roles="admin compliance_officer",
)
IMPORT = permission(
    "evaluations.import",
    "import evaluation runs and compare them",
    roles="admin compliance_officer contributor",
)
REQUEST = permission(
    "evaluations.request",
    "ask runners for evaluation runs",
    roles="admin compliance_officer contributor",
)
RELEASE = permission(
    "evaluations.release",
    "state which release an AI system serves",
    roles="admin compliance_officer contributor",
)
PUSH = permission("evaluations.push", "push evaluation runs", scopes=EVALUATIONS_WRITE)
