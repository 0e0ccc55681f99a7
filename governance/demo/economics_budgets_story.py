"""Three AI cost budgets: one near its threshold, one well below it, one that Globex exceeds.

Finance derives each limit from the costs of the last thirty days.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from sqlalchemy import func, select

from governance.demo.cast import acting_on, days_ago, moment_of
from governance.economics.budgets import actions, jobs, queries
from governance.economics.budgets.actions import BudgetTerms
from governance.economics.budgets.queries import BudgetScope
from governance.economics.prices.models import USAGE_COSTS
from governance.economics.rates.queries import months_rates
from governance.foundation.tenants import queries as directory
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.months import Month

SET = 2  # days ago
MEASURED = 30  # days
STEP = Decimal(10)  # of an amount
ZERO = Decimal(0)
COSTS = USAGE_COSTS.c


@dataclass(frozen=True, slots=True)
class DemoBudget:
    """A budget of a customer or one of its AI systems. `share` is relative to its 30-day cost."""

    customer: str
    system: str
    window: str
    share: Decimal
    terms: BudgetTerms


BUDGETS = (
    DemoBudget(
        "acme",
        "claims-triage",
        "month",
        Decimal("0.9"),
        BudgetTerms(name="Acme, claims-triage", amount=ZERO, tells_tenant=True),
    ),
    DemoBudget(
        "acme",
        "support-assistant",
        "rolling",
        Decimal("2.2"),
        BudgetTerms(name="Acme, support-assistant", amount=ZERO),
    ),
    DemoBudget(
        "globex",
        "",
        "month",
        Decimal("0.8"),
        BudgetTerms(name="Globex, everything", amount=ZERO, proposed_limit=30),
    ),
)


def tell(finance: Actor) -> None:
    """Set the budgets as finance, then check them as the hourly job does."""
    with acting_on(finance, days_ago(SET)), transaction():
        scopes = {
            (each.customer_id, each.system): each for each in queries.scopes() if not each.feature
        }
        for each in BUDGETS:
            customer_id = directory.tenant_id(each.customer)
            if customer_id is None:
                raise LookupError(each.customer)
            scope = scopes[customer_id, each.system]
            amount = _rounded(_cost(scope) * each.share)
            terms = replace(each.terms, amount=amount)
            actions.create(scope.key, each.window, terms)
    with clock.frozen(moment_of(days_ago(0), 20)):
        jobs.check_budgets()


def _rounded(amount: Decimal) -> Decimal:
    """Up to the next ten."""
    return max((amount / STEP).to_integral_value(ROUND_CEILING), Decimal(1)) * STEP


def _cost(scope: BudgetScope) -> Decimal:
    """Return the cost of the last thirty days, in the reporting currency."""
    last = clock.now().date()
    query = (
        select(COSTS.day, COSTS.currency, func.sum(COSTS.cost))
        .where(
            COSTS.tenant_id == current.actor().tenant_id,
            COSTS.customer_id == scope.customer_id,
            COSTS.day > last - timedelta(days=MEASURED),
            COSTS.currency.is_not(None),
        )
        .group_by(COSTS.day, COSTS.currency)
    )
    if scope.system_id is not None:
        query = query.where(COSTS.system_id == scope.system_id)
    rows = session().execute(query).all()
    rates = months_rates({Month.of(row.day) for row in rows})
    return sum((rates[Month.of(row.day)].convert(row[2], row.currency) for row in rows), ZERO)
