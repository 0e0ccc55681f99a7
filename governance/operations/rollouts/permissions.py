"""Permissions to read, plan, advance, approve and halt rollouts."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "rollouts.view",
    "view rollouts",
    roles="admin compliance_officer contributor auditor viewer",
)
PLAN = permission(
    "rollouts.plan",
    "plan rollouts and their rollback, and cancel those that aren't started",
    roles="admin compliance_officer contributor",
)
ADVANCE = permission(
    "rollouts.advance",
    "start, promote, resume and finish rollouts, or request it where two people are needed",
    roles="admin compliance_officer contributor",
)
APPROVE = permission(
    "rollouts.approve",
    "approve the steps of rollouts of high-risk AI systems",
    roles="admin compliance_officer",
)
HALT = permission(
    "rollouts.halt",
    "halt rollouts and roll them back",
    roles="admin compliance_officer contributor",
)
FREEZE = permission(
    "rollouts.freeze",
    "add freezes in which no rollout advances, and cancel them",
    roles="admin compliance_officer",
)
