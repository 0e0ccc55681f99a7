"""Permissions to read and open the public explanation of an AI system."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "explanations.view",
    "view what the public explanation of an AI system says",
    roles="admin compliance_officer contributor auditor viewer",
)
OPEN = permission(
    "explanations.open",
    "switch public explanations of AI systems on and off, choose who may embed them, and replace"
    " their addresses",
    roles="admin compliance_officer",
)
