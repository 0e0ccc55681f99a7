from governance.kernel.safety.access import permission

VIEW = permission(
    "systems.view",
    "view the register of AI systems",
    roles="admin compliance_officer contributor auditor viewer",
)
REGISTER = permission("systems.register", "register an AI system", roles="admin compliance_officer")
RETIRE = permission("systems.retire", "retire an AI system", roles="admin compliance_officer")
CHANGE = permission(
    "systems.change",
    "change an AI system, its risk class and its features",
    roles="admin compliance_officer",
)
