"""Permissions to view and import files. Each kind of file also requires its own permission."""

from governance.kernel.safety.access import permission

VIEW = permission("imports.view", "view imported files", roles="operator_admin operator_finance")
IMPORT = permission("imports.run", "import files", roles="operator_admin operator_finance")
