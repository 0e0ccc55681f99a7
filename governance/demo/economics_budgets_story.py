"""Three budgets of AI cost: one that is spent, one that is quiet, one for Globex."""

from dataclasses import dataclass
from decimal import Decimal

from governance.demo.cast import acting_on, days_ago
from governance.economics.budgets import actions, jobs, queries
from governance.economics.budgets.actions import BudgetTerms
from governance.foundation.tenants import queries as directory
from governance.kernel.current import Actor
from governance.kernel.db import transaction

SET = 2  # days ago


@dataclass(frozen=True, slots=True)
class DemoBudget:
    """A budget of a customer, or of one of its AI systems."""

    customer: str
    system: str
    window: str
    terms: BudgetTerms


BUDGETS = (
    DemoBudget(
        "acme",
        "claims-triage",
        "month",
        BudgetTerms(name="Acme, claims-triage", amount=Decimal(33), tells_tenant=True),
    ),
    DemoBudget(
        "acme",
        "support-assistant",
        "rolling",
        BudgetTerms(name="Acme, support-assistant", amount=Decimal(60)),
    ),
    DemoBudget(
        "globex",
        "",
        "month",
        BudgetTerms(name="Globex, everything", amount=Decimal(80), proposed_limit=30),
    ),
)


def tell(finance: Actor) -> None:
    """Set the budgets as finance, then check them as the hourly job does."""
    with acting_on(finance, days_ago(SET)), transaction():
        scopes = {
            (each.customer_id, each.system): each.key
            for each in queries.scopes()
            if not each.feature
        }
        for each in BUDGETS:
            customer_id = directory.tenant_id(each.customer)
            if customer_id is None:
                raise LookupError(each.customer)
            actions.create(scopes[customer_id, each.system], each.window, each.terms)
    jobs.check_budgets()
