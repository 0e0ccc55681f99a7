"""Segments, tiers and AI systems of the tenants of tenant_facts.py."""

from collections.abc import Sequence
from typing import Any

from governance.economics.reviews.facts.review_facts import (
    SegmentMonth,
    SystemMonth,
    TenantMonth,
    TierMonth,
)
from tests.economics.reviews.tenant_facts import TIERS, ZERO, D


def segments(tenants: Sequence[TenantMonth]) -> list[SegmentMonth]:
    """Return four segments. The public sector has no churn, so its LTV can't be estimated."""
    figures: dict[str, tuple[Any, ...]] = {
        "Enterprise": (41_800, 182_000, 121_000, 267_000, ""),
        "Mid-market": (14_200, 46_900, 34_000, 62_500, ""),
        "Small business": (3_900, 5_100, 3_500, 7_000, ""),
        "Public sector": (52_300, None, None, None, "no churn, 7 accounts"),
    }
    found = []
    for name, (cac, ltv, low, high, why) in figures.items():
        members = [each for each in tenants if each.segment == name]
        revenue = sum((each.revenue for each in members), ZERO)
        arpa = sum((each.mrr for each in members), ZERO) / len(members)
        margin = sum((each.margin for each in members), ZERO) / revenue
        found.append(
            SegmentMonth(
                name=name,
                accounts=len(members),
                arpa=arpa,
                gross_margin=margin,
                cac=D(cac),
                payback_months=cac / (arpa * margin) if margin > 0 else None,
                ltv=None if ltv is None else D(ltv),
                ltv_low=None if low is None else D(low),
                ltv_high=None if high is None else D(high),
                why=why,
            )
        )
    return found


def tiers(tenants: Sequence[TenantMonth]) -> list[TierMonth]:
    found = []
    for place, name in enumerate(TIERS):
        members = [each for each in tenants if each.tier == name]
        requests = sum(each.requests for each in members)
        revenue = sum((each.revenue for each in members), ZERO)
        guardrails = sum((each.costs.guardrails for each in members), ZERO)
        blocks = 20 * (place + 1)
        found.append(
            TierMonth(
                name=name,
                tenants=len(members),
                requests=requests,
                guardrails=guardrails,
                per_request=guardrails / requests if requests else None,
                refused_share=D(sum(each.refused for each in members)) / requests
                if requests
                else None,
                milliseconds=D(40 + 30 * place),
                gross_margin=sum((each.margin for each in members), ZERO) / revenue
                if revenue
                else None,
                confirmed_blocks=blocks,
                false_blocks=3 * place,
                per_prevented_harm=guardrails / blocks,
            )
        )
    return found


def systems() -> list[SystemMonth]:
    rows = (
        ("acme-insurance", "claims-triage", "summaries", 41_000, 31_200, "4087.20"),
        ("kestrel-logistics", "support-assistant", "chat", 96_000, 88_000, "2992.00"),
        ("globex", "ad-copywriter", "drafts", 52_000, 44_000, "924.00"),
    )
    return [
        SystemMonth(
            tenant=slug,
            system=system,
            feature=feature,
            attempts=attempts,
            completed_tasks=completed,
            cost=D(cost),
            per_task=D(cost) / completed,
            p50=D("0.0041"),
            p95=D("0.0310"),
            p99=D("0.1200"),
        )
        for slug, system, feature, attempts, completed, cost in rows
    ]
