"""Permissions to read, write, publish, withdraw and download the model cards of AI systems."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "model_cards.view",
    "view the model cards of AI systems",
    roles="admin compliance_officer contributor auditor viewer",
)
WRITE = permission(
    "model_cards.write",
    "write known failures of model cards, choose their release, and request to publish them",
    roles="admin compliance_officer contributor",
)
PUBLISH = permission(
    "model_cards.publish",
    "approve, publish and withdraw model cards",
    roles="admin compliance_officer",
)
EXPORT = permission(
    "model_cards.export",
    "generate and download model cards as signed PDFs",
    roles="admin compliance_officer",
)
