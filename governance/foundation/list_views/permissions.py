"""Permission to share views of lists; to save one's own needs only that of the list."""

from governance.kernel.safety.access import permission

SHARE = permission(
    "list_views.share",
    "share saved views of lists with everyone",
    roles="admin compliance_officer contributor operator_admin operator_finance",
)
MANAGE = permission(
    "list_views.manage",
    "stop sharing and delete the shared views of others",
    roles="admin operator_admin",
)
