"""Reviews: the operator's months with their frozen figures, discussed, signed and exported."""

from governance.economics.allocation.ports import newest_closed_month
from governance.economics.rates.ports import closed_months
from governance.economics.reviews import (
    actions,
    close_actions,
    closed,
    models,
    permissions,
    residual_actions,
    sign_off_actions,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import EntryLink, Manifest, NavItem, PortAnswer

manifest = Manifest(
    name="reviews",
    models=(models,),
    routes=(views.feature,),
    navigation=(
        NavItem(
            label="Economics",
            icon="coins",
            endpoint="reviews.index",
            permission=permissions.VIEW,
            order=60,
            group="economics",
            audience="operator",
        ),
    ),
    approvals=(sign_off_actions.FINANCE, sign_off_actions.PRODUCT, residual_actions.RESIDUAL),
    audit=actions_in(actions, close_actions, sign_off_actions, residual_actions),
    links={
        "Review": EntryLink(endpoint="reviews.by_id", argument="review_id"),
        "ReviewAction": EntryLink(no_page="its month is on the operator's pages"),
        "ReviewScenario": EntryLink(no_page="its month is on the operator's pages"),
    },
    answers=(
        PortAnswer(closed_months, closed.closed_months),
        PortAnswer(newest_closed_month, closed.newest_closed_month),
    ),
)
