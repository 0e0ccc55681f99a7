"""A closed month of three tenants, and rules that two people approve."""

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.economics.allocation import actions, queries
from governance.economics.allocation.models import AllocationRules
from governance.economics.formulas.allocation import Driver, Pool, Rule
from governance.economics.reviews.facts import review_facts as facts
from governance.economics.reviews.models import Review, ReviewRevision
from governance.foundation.approvals.models import Approval
from governance.kernel.data.db import session
from governance.kernel.months import Month
from tests import make
from tests.foundation.approvals.approval_helpers import approve_below_pages

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
NOVEMBER = Month(2026, 11)
POOLS = {Pool.INFRASTRUCTURE: D(900), Pool.GUARDRAILS: D(100)}
TENANTS = (  # (id, name, revenue, margin at closing, requests, tokens, active users)
    (UUID(int=1), "Acme Insurance", D(5000), D(2000), 100, 6000, 20),
    (UUID(int=2), "Globex", D(400), D(-900), 300, 3000, 10),
    (UUID(int=3), "Northgate Mutual", D(600), D(50), 100, 1000, 70),
)


def all_by(driver: Driver) -> dict[Pool, Rule[UUID]]:
    return {pool: Rule(driver) for pool in Pool}


def approve_rules(
    driver: Driver = Driver.TOKENS, since: Month = NOVEMBER, reason: str = "Agreed with finance."
) -> UUID:
    """Propose rules as finance and approve them as an operator."""
    with make.acting("operator_finance", "console"):
        made = actions.propose(
            all_by(driver), since=since, base=queries.newest_number(), reason=reason
        )
        wanted = select(Approval).where(Approval.target_id == made.id)
        request, rules = session().scalars(wanted).one().id, made.id
    approve_below_pages(request, "operator_admin", "console")
    return rules


def rules() -> list[AllocationRules]:
    with make.acting("operator_admin", "console"):
        query = select(AllocationRules).order_by(AllocationRules.created_at, AllocationRules.id)
        found = list(session().scalars(query))
        session().expunge_all()
        return found


def close(month: Month) -> None:
    """Store a month with frozen figures, as the closing job does."""
    with make.acting("operator_finance", "console"):
        review = Review(month=str(month), revision=1)
        session().add(review)
        session().flush()
        values: dict[str, Any] = {
            "number": 1,
            "closed_at": NOW,
            "closed_by": None,
            "reason": "",
            "input_digest": "0" * 64,
            "facts": facts.encode(month_facts(month)),
            "headline": {},
            "changes": None,
            "accepted_residual": None,
        }
        session().add(ReviewRevision(review_id=review.id, **values))


def month_facts(month: Month) -> facts.ReviewFacts:
    zero = D(0)
    costs = facts.Costs(models=zero, guardrails=zero, infrastructure=zero, support=zero)
    nothing = dict.fromkeys(facts.Ratios.__struct_fields__, None) | {"why": {}}
    return facts.ReviewFacts(
        month=str(month),
        currency="EUR",
        operator="Console",
        inputs=[],
        rates=[],
        formulas=[],
        rules=[],
        waterfall=facts.Waterfall(
            revenue=zero,
            costs=costs,
            residual=zero,
            residue=zero,
            gross_margin=zero,
            acquisition=zero,
            contribution=zero,
        ),
        mrr=facts.MrrBridge(
            start=zero,
            new=zero,
            expansion=zero,
            reactivation=zero,
            contraction=zero,
            churn=zero,
            end=zero,
        ),
        accounts=facts.AccountCounts(start=0, won=0, returned=0, lost=0, end=0),
        ratios=facts.Ratios(**nothing),
        requests=500,
        tokens=10_000,
        events=500,
        tenants=[_tenant(*each, costs) for each in TENANTS],
        segments=[],
        tiers=[],
        systems=[],
        adoption=[],
        cohorts=[],
        reconciliation=facts.Reconciliation(
            models=[],
            causes=[],
            days=[],
            computed=zero,
            invoiced=zero,
            residual=zero,
            share=None,
            limit=D("0.02"),
        ),
        pools=[
            facts.Pool(name=pool.value, total=total, allocated=zero, residue=total)
            for pool, total in POOLS.items()
        ],
    )


def _tenant(
    key: UUID, name: str, revenue: D, margin: D, requests: int, tokens: int, users: int, costs: Any
) -> facts.TenantMonth:
    return facts.TenantMonth(
        id=str(key),
        slug=name.split(maxsplit=1)[0].lower(),
        name=name,
        segment="Enterprise",
        tier="strict",
        is_active=True,
        revenue=revenue,
        mrr=revenue,
        costs=costs,
        margin=margin,
        requests=requests,
        refused=0,
        tokens=tokens,
        completed_tasks=0,
        active_users=users,
        seats=0,
        margin_by_driver={},
        conclusion="",
        reason=None,
    )
