from governance.kernel.access import permission

VIEW = permission(
    "assessments.view", "see where the frameworks stand", roles="admin compliance_officer contributor auditor viewer"
)
MANAGE = permission("assessments.manage", "begin, steer or close an assessment", roles="admin compliance_officer")
CONCLUDE = permission("assessments.conclude", "write a conclusion", roles="admin compliance_officer")
SIGN = permission("assessments.sign", "sign off a conclusion", roles="admin compliance_officer")
COMMENT = permission("assessments.comment", "take part in the discussion", roles="admin compliance_officer contributor")
