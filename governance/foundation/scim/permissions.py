"""Permissions to provision people, and to see how that goes."""

from governance.kernel.safety.access import permission, scope

SCIM = scope("scim", "provision people and groups over SCIM")

VIEW = permission("scim.view", "view provisioning", roles="admin compliance_officer operator_admin")
PROVISION = permission("scim.provision", "provision people and groups", scopes=SCIM)
