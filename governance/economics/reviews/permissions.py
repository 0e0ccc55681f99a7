"""Permissions to view and discuss reviews, close months and sign them off."""

from governance.kernel.safety.access import permission

BOTH = "operator_admin operator_finance"

VIEW = permission("reviews.view", "view unit economics", roles=BOTH)
CLOSE = permission("reviews.close", "close months and reopen them", roles=BOTH)
DISCUSS = permission(
    "reviews.discuss", "comment on reviews, and plan actions and scenarios", roles=BOTH
)
SIGN_FINANCE = permission(
    "reviews.sign.finance", "sign off reviews for finance", roles="operator_finance"
)
SIGN_PRODUCT = permission(
    "reviews.sign.product", "sign off reviews for product", roles="operator_admin"
)
IMPORT = permission("reviews.import", "import reviewed blocks", roles=BOTH)
