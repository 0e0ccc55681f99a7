"""Who sees the operator's reviews and closes months."""

from governance.kernel.access import permission

VIEW = permission("reviews.view", "view unit economics", roles="operator_admin operator_finance")
CLOSE = permission(
    "reviews.close", "close months and reopen them", roles="operator_admin operator_finance"
)
