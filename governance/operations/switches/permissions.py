from governance.kernel.safety.access import permission

VIEW = permission(
    "switches.view",
    "view switches and stops",
    roles="admin compliance_officer contributor auditor viewer",
)
STOP = permission(
    "switches.stop",
    "stop a feature, a system or everything",
    roles="admin compliance_officer contributor",
)
RESTART = permission(
    "switches.restart", "restart what was stopped", roles="admin compliance_officer"
)
DRILL = permission("switches.drill", "plan a drill", roles="admin compliance_officer")
PLATFORM = permission(
    "switches.platform", "stop everything, for every tenant", roles="operator_admin"
)
