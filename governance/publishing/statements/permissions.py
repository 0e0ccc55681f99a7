from governance.kernel.safety.access import permission

VIEW = permission(
    "statements.view",
    "view statements",
    roles="admin compliance_officer contributor auditor viewer",
)
CLOSE = permission("statements.close", "close a month", roles="admin")
DISPUTE = permission(
    "statements.dispute", "dispute minutes or exclusions", roles="admin compliance_officer"
)
OPERATE = permission(
    "statements.operate",
    "view and close statements of every tenant",
    roles="operator_admin operator_finance",
)
ANSWER = permission("statements.answer", "answer disputes", roles="operator_admin operator_finance")
CLAIM = permission(
    "statements.claim", "prepare and send vendor claims", roles="operator_admin operator_finance"
)
PAY = permission("statements.pay", "record paid credits", roles="operator_admin operator_finance")
