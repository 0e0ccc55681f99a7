"""Statements: closed months with their arithmetic, revisions, disputes and claims."""

from sqlalchemy import Select, String, case, cast, func, select

from governance.economics.reviews.ports import sla_credits
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
    ObjectSearch,
    PortAnswer,
    SectionTab,
    Subscription,
)
from governance.operations.agreements.ports import last_closed_month
from governance.operations.maintenance.events import ExclusionChanged
from governance.operations.measurements.events import MinutesStored
from governance.operations.measurements.ports import minutes_needed_since
from governance.operations.objectives.ports import coming_up_statements
from governance.publishing.statements import (
    actions,
    claim_actions,
    claim_approval,
    coming_up,
    dispute_actions,
    glossary,
    inbox,
    jobs,
    late_changes,
    ledger_actions,
    models,
    month_credits,
    palette,
    permissions,
    queries,
    views,
)


def _disputes() -> Select[str]:
    """Select "1 dispute" or "3 disputes", or NULL while no dispute is open."""
    opened = func.count().filter(models.Dispute.state == "open")
    words = case(
        (opened == 0, None), (opened == 1, "1 dispute"), else_=cast(opened, String) + " disputes"
    )
    return select(words).select_from(models.Dispute)


manifest = Manifest(
    name="statements",
    models=(models,),
    routes=(views.feature, views.operator_feature),
    navigation=(
        NavItem(
            label="Statements",
            icon="receipt",
            endpoint="operator_statements.index",
            permission=permissions.OPERATE,
            order=55,
            group="platform",
            audience="operator",
        ),
    ),
    tabs=(
        SectionTab(
            section="reliability",
            label="Statements",
            endpoint="statements.index",
            permission=permissions.VIEW,
            order=30,
            note=_disputes,
            counts_everything=True,
        ),
    ),
    under=("objectives.index",),
    schedule=(
        Hourly("close months", jobs.close_due_months, minute=7),
        Daily("tidy statement files", jobs.remove_unreferenced_files, at="03:31"),
        Daily("expire claims", jobs.expire_claims, at="00:05"),
    ),
    work=(jobs.close_month,),
    extensions=(GLOSSARY(*glossary.TERMS), APPROVAL_KINDS(claim_approval.CLAIM)),
    inbox=inbox.SOURCES,
    palette=(Command("View statements", "statements.index", permissions.VIEW),),
    search=(
        ObjectSearch(
            "statement",
            palette.statements,
            "statements.statement",
            lambda row_id, _slug: {"statement_id": row_id},
        ),
    ),
    audit=actions_in(actions, dispute_actions, ledger_actions, claim_actions),
    links={
        "Statement": EntryLink(endpoint="statements.statement", argument="statement_id"),
        "Dispute": EntryLink(endpoint="statements.dispute", argument="dispute_id"),
        "VendorClaim": EntryLink(
            endpoint="operator_statements.claim", argument="claim_id", noun="vendor claim"
        ),
    },
    subscribes=(
        Subscription(MinutesStored, late_changes.on_minutes_stored),
        Subscription(ExclusionChanged, late_changes.on_exclusion_changed),
    ),
    answers=(
        PortAnswer(coming_up_statements, coming_up.coming_up),
        PortAnswer(last_closed_month, queries.last_closed_month),
        PortAnswer(sla_credits, month_credits.month_credits),
        PortAnswer(minutes_needed_since, queries.minutes_needed_since),
    ),
)
