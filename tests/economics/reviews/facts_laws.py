"""The laws that review_facts.py promises of every month; broken_laws(facts) lists violations."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from governance.economics.reviews.facts.review_facts import ReviewFacts
from tests.economics.reviews.tenant_facts import KINDS, ZERO


def broken_laws(facts: ReviewFacts) -> list[str]:
    """Return the promises of review_facts.py that these facts violate."""
    checks: Mapping[str, tuple[Any, Any]] = {
        **_money_laws(facts),
        **_parts_laws(facts),
        **{
            f"{each.name}: margin is revenue - cost": (
                each.margin,
                each.revenue - each.costs.total,
            )
            for each in facts.tenants
        },
        **{
            f"{each.name}: allocated + residue is the total": (
                each.allocated + each.residue,
                each.total,
            )
            for each in facts.pools
        },
    }
    wrong = [
        f"{law}: {left} is not {right}" for law, (left, right) in checks.items() if left != right
    ]
    wrong += [
        f"{each.name} has a reason exactly where it loses"
        for each in facts.tenants
        if (each.reason is None) != (each.margin >= 0)
    ]
    return wrong + [
        f"{each.name} says why its LTV is missing"
        for each in facts.segments
        if (each.ltv is None) != bool(each.why)
    ]


def _money_laws(facts: ReviewFacts) -> dict[str, tuple[Any, Any]]:
    w, m, a = facts.waterfall, facts.mrr, facts.accounts
    return {
        "revenue - cost - residual - residue": (
            w.revenue - w.costs.total - w.residual - w.residue,
            w.gross_margin,
        ),
        "gross margin - acquisition": (w.gross_margin - w.acquisition, w.contribution),
        "MRR": (
            m.start + m.new + m.expansion + m.reactivation - m.contraction - m.churn,
            m.end,
        ),
        "accounts": (a.start + a.won + a.returned - a.lost, a.end),
        "tenants' revenue": (_sum(facts.tenants, "revenue"), w.revenue),
        **{
            f"tenants' {kind}": (
                sum((getattr(each.costs, kind) for each in facts.tenants), ZERO),
                getattr(w.costs, kind),
            )
            for kind in KINDS
        },
        "residue of the pools": (_sum(facts.pools, "residue"), w.residue),
    }


def _parts_laws(facts: ReviewFacts) -> dict[str, tuple[Any, Any]]:
    r = facts.reconciliation
    return {
        "residual": (r.invoiced - r.computed, r.residual),
        "residual of the waterfall": (facts.waterfall.residual, r.residual),
        "computed by model": (_sum(r.models, "computed"), r.computed),
        "invoiced by model": (_sum(r.models, "invoiced"), r.invoiced),
        "residual by model": (_sum(r.models, "residual"), r.residual),
        "residual by cause": (_sum(r.causes, "amount"), r.residual),
        **_day_laws(facts),
        "residual by day": (_sum(r.days, "amount") if r.days else r.residual, r.residual),
        **{
            f"margins by {driver}": (
                sum((each.margin_by_driver[driver] for each in facts.tenants), ZERO),
                _sum(facts.tenants, "margin"),
            )
            for driver in (facts.tenants[0].margin_by_driver if facts.tenants else ())
        },
    }


def _day_laws(facts: ReviewFacts) -> dict[str, tuple[Any, Any]]:
    """Return the laws of each model's days, where the review stores days."""
    r = facts.reconciliation
    laws: dict[str, tuple[Any, Any]] = {}
    for model in r.models if r.model_days else ():
        days = [
            each
            for each in r.model_days
            if (each.provider, each.model) == (model.provider, model.model)
        ]
        name = f"days of {model.model}"
        laws[f"{name}: computed"] = (_sum(days, "computed"), model.computed)
        laws[f"{name}: invoiced"] = (_sum(days, "invoiced"), model.invoiced)
    for day in r.model_days:
        law = f"causes of {day.model} on {day.day}"
        laws[law] = (_sum(day.causes, "amount"), day.invoiced - day.computed)
    return laws


def _sum(rows: Sequence[Any], name: str) -> Decimal:
    return sum((getattr(each, name) for each in rows), ZERO)
