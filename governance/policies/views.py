"""Policies: tiers side by side, the draft, versions, waivers."""

from governance.kernel.feature import Feature
from governance.kernel.pages import page
from governance.kernel.web import ResponseReturnValue
from governance.policies import permissions, queries

feature = Feature("policies", __name__)
operator_feature = Feature("operator_policies", __name__, scope="operator")


@feature.get("/policies/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    return page("policies/index.html", standing=queries.standing())


@operator_feature.get("/floor", needs=permissions.PLATFORM)
def index_of_operator() -> ResponseReturnValue:
    return page("policies/floor.html", platform=queries.platform())
