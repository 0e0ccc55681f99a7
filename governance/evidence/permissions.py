from governance.kernel.access import permission

VIEW = permission("evidence.view", "see evidence", roles="admin compliance_officer contributor auditor viewer")
MANAGE = permission("evidence.manage", "begin, assign, link or retire evidence", roles="admin compliance_officer")
BRING = permission("evidence.bring", "bring in versions of evidence", roles="admin compliance_officer contributor")
REVIEW = permission("evidence.review", "review evidence", roles="admin compliance_officer")
