from governance.kernel.access import permission

VIEW = permission(
    "privacy.view",
    "see erasures, unmasking, legal holds and retention",
    roles="admin compliance_officer operator_admin",
)
ERASE = permission(
    "privacy.erase", "erase a person", roles="admin compliance_officer operator_admin"
)
UNMASK = permission(
    "privacy.unmask", "ask who a pseudonym is", roles="admin compliance_officer operator_admin"
)
HOLD = permission(
    "privacy.hold", "place and release legal holds", roles="admin compliance_officer operator_admin"
)
RETAIN = permission(
    "privacy.retain",
    "change how long the log's personal parts are kept",
    roles="admin operator_admin",
)
