"""Who reads, writes, publishes and withdraws the model cards of AI systems."""

from governance.kernel.access import permission

VIEW = permission(
    "model_cards.view",
    "view the model cards of AI systems",
    roles="admin compliance_officer contributor auditor viewer",
)
WRITE = permission(
    "model_cards.write",
    "write what readers see of known failures, and request to publish model cards",
    roles="admin compliance_officer contributor",
)
PUBLISH = permission(
    "model_cards.publish",
    "approve, publish and withdraw model cards",
    roles="admin compliance_officer",
)
