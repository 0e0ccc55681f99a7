"""Permissions to generate and download reports of red teams."""

from governance.kernel.safety.access import permission

EXPORT = permission(
    "red_team_reports.export",
    "generate and download signed reports of red teams",
    roles="admin compliance_officer",
)
