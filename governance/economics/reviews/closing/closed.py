"""Answers to ports of lower features: closed and closing months, and the newest closed figures."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from governance.economics.allocation.ports import ClosedMonth, ClosedTenant
from governance.economics.formulas.allocation import Pool
from governance.economics.formulas.allocation import TenantMonth as Measured
from governance.economics.reviews.facts.review_facts import ReviewFacts, TenantMonth, decode
from governance.economics.reviews.models import Review, ReviewRevision
from governance.kernel.data.db import session
from governance.kernel.months import Month
from governance.kernel.work.background_work import under_way

MAX_CLOSING = 1000


def closed_months() -> Collection[Month]:
    """Return the months with frozen figures. A reopened one is excluded until it is closed again."""
    query = select(Review.month).where(Review.revision > 0, Review.reopened.is_(None))
    return [Month.parse(each) for each in session().scalars(query)]


def closing_months() -> Collection[Month]:
    """Return the months whose close is under way, without those whose close stopped."""
    return [each.its_month for each in under_way(Review, limit=MAX_CLOSING)]


def newest_closed_month() -> ClosedMonth | None:
    """Return the figures on which allocation shows its effect, or None before the first close."""
    query = (
        select(ReviewRevision.facts)
        .join(
            Review,
            (Review.tenant_id == ReviewRevision.tenant_id)
            & (Review.id == ReviewRevision.review_id)
            & (Review.revision == ReviewRevision.number),
        )
        .order_by(Review.month.desc())
        .limit(1)
    )
    facts = session().scalar(query)
    return None if facts is None else _shared(decode(facts))


def _shared(facts: ReviewFacts) -> ClosedMonth:
    return ClosedMonth(
        Month.parse(facts.month),
        facts.currency,
        {Pool(each.name): each.total for each in facts.pools},
        {UUID(each.id): _tenant(each) for each in facts.tenants},
    )


def _tenant(tenant: TenantMonth) -> ClosedTenant:
    measured = Measured(tenant.tokens, tenant.requests, tenant.active_users, tenant.revenue)
    return ClosedTenant(tenant.name, tenant.margin, measured)
