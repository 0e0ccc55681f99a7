"""Permissions to propose, test and approve a change to how people sign in."""

from governance.kernel.safety.access import permission

CHANGE = permission("sign_in.change", "change how people sign in", roles="admin operator_admin")
