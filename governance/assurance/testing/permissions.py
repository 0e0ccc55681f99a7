"""Who looks at tests, who draws samples and records results, and who answers for what they find."""

from governance.kernel.access import permission

VIEW = permission("testing.view", "see Type II testing", roles="admin compliance_officer contributor auditor viewer")
TEST = permission("testing.test", "draw samples and record test results", roles="admin compliance_officer auditor")
MANAGE = permission("testing.manage", "freeze populations and answer for exceptions", roles="admin compliance_officer")
REMEDY = permission("testing.remedy", "report the repair of a finding", roles="admin compliance_officer contributor")
