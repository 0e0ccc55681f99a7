from governance.kernel.access import permission

VIEW = permission("controls.view", "see controls", roles="admin compliance_officer contributor auditor viewer")
MANAGE = permission("controls.manage", "add, map or retire controls", roles="admin compliance_officer")
WORK = permission("controls.work", "edit a control or record its tests", roles="admin compliance_officer contributor")
JUDGE = permission("controls.judge", "test controls that others own", roles="admin compliance_officer auditor")
