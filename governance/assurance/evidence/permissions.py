from governance.kernel.access import permission, scope

EVIDENCE_WRITE = scope("evidence:write", "bring in versions of evidence")

VIEW = permission("evidence.view", "see evidence", roles="admin compliance_officer contributor auditor viewer")
MANAGE = permission("evidence.manage", "begin, assign, link or retire evidence", roles="admin compliance_officer")
BRING = permission("evidence.bring", "bring in versions of evidence", roles="admin compliance_officer contributor")
REVIEW = permission("evidence.review", "review evidence", roles="admin compliance_officer")
KEEP = permission("evidence.keep", "place legal holds on evidence and set how long it is kept", roles="admin compliance_officer")
DESTROY = permission(
    "evidence.destroy", "ask for or agree to the destruction of a file of evidence", roles="admin compliance_officer"
)
PUSH = permission("evidence.push", "bring in versions of evidence", scopes=EVIDENCE_WRITE)
