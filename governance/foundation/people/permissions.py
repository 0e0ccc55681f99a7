from governance.kernel.access import permission

EVERYBODY = "admin compliance_officer contributor auditor viewer operator_admin operator_finance operator_support"

OWN = permission("people.own", "use the console", roles=EVERYBODY)
MEMBERS = permission("people.members", "see who is a member", roles="admin compliance_officer operator_admin")
MANAGE = permission("people.manage", "invite, change or remove members", roles="admin operator_admin")
CONNECTION = permission("people.connection", "change how people sign in", roles="admin operator_admin")
NAMES = permission("people.names", "see the names behind the log's pseudonyms",
                   roles="admin compliance_officer contributor viewer operator_admin")  # fmt: skip
