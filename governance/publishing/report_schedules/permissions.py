"""The permission to schedule reports."""

from governance.kernel.safety.access import permission

MANAGE = permission(
    "report_schedules.manage",
    "schedule reports, choose who receives them, and end schedules",
    roles="admin compliance_officer",
)
