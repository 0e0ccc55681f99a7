"""Who views and applies files. Each kind of file asks for a permission of its own as well."""

from governance.kernel.safety.access import permission

VIEW = permission("imports.view", "view imported files", roles="operator_admin operator_finance")
IMPORT = permission("imports.run", "import files", roles="operator_admin operator_finance")
