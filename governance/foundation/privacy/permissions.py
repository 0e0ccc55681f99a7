from governance.kernel.safety.access import permission

VIEW = permission(
    "privacy.view",
    "view erasures, unmaskings, legal holds and retention",
    roles="admin compliance_officer operator_admin",
)
ERASE = permission(
    "privacy.erase", "erase a person", roles="admin compliance_officer operator_admin"
)
UNMASK = permission(
    "privacy.unmask",
    "request the name behind a pseudonym",
    roles="admin compliance_officer operator_admin",
)
HOLD = permission(
    "privacy.hold", "place and release legal holds", roles="admin compliance_officer operator_admin"
)
RETAIN = permission(
    "privacy.retain",
    "change how long encrypted fields of the log are kept",
    roles="admin operator_admin",
)
