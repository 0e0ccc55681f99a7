"""Reviews: monthly figures of the operator, frozen, discussed, signed off and exported."""

from governance.economics.allocation.ports import closing_months, newest_closed_month
from governance.economics.imports.kinds import register
from governance.economics.rates.ports import closed_months
from governance.economics.reviews import (
    actions,
    glossary,
    guardrail_file,
    inbox,
    jobs,
    models,
    palette,
    permissions,
    tab_views,
    views,
)
from governance.economics.reviews.closing import actions as close_actions
from governance.economics.reviews.closing import (
    closed,
    residual_actions,
    settings_actions,
    sign_off_actions,
)
from governance.economics.reviews.closing import views as close_views
from governance.economics.reviews.reconciliation import day_views
from governance.economics.reviews.tenants import views as tenant_views
from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    Daily,
    EntryLink,
    Hourly,
    Manifest,
    NavItem,
    PortAnswer,
)

register(guardrail_file.KIND)
manifest = Manifest(
    name="reviews",
    models=(models,),
    routes=(
        views.feature,
        day_views.feature,
        tab_views.feature,
        tenant_views.feature,
        close_views.feature,
    ),
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
    extensions=(
        GLOSSARY(*glossary.TERMS),
        APPROVAL_KINDS(
            sign_off_actions.FINANCE, sign_off_actions.PRODUCT, residual_actions.RESIDUAL
        ),
    ),
    schedule=(
        Hourly("close months of economics", jobs.close_due_months, minute=17),
        Daily("note late inputs of reviews", jobs.note_late_inputs, at="04:37"),
    ),
    work=(jobs.close_month,),
    inbox=inbox.SOURCES,
    palette=(
        Command("View unit economics", "reviews.index", permissions.VIEW),
        Command("Close a month", "review_months.index", permissions.CLOSE),
        palette.closed_months,
    ),
    audit=actions_in(actions, close_actions, residual_actions, settings_actions, sign_off_actions),
    links={
        "Review": EntryLink(endpoint="reviews.by_id", argument="review_id"),
        "ReviewSettings": EntryLink(
            endpoint="review_months.index", noun="the settings of reviews", single=True
        ),
        "ReviewAction": EntryLink(no_page="its month is on the operator's pages"),
        "ReviewScenario": EntryLink(no_page="its month is on the operator's pages"),
    },
    answers=(
        PortAnswer(closed_months, closed.closed_months),
        PortAnswer(closing_months, closed.closing_months),
        PortAnswer(newest_closed_month, closed.newest_closed_month),
    ),
)
