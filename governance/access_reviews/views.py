"""Access reviews: campaigns over memberships and keys."""

from governance.kernel.feature import Feature

feature = Feature("access_reviews", __name__)
