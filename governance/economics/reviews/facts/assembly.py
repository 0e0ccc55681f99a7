"""Computation of a review's figures from the inputs of its month. Pure.

    assemble(inputs)    every figure, each by its formula

Invariants, tested in tests/economics/reviews/test_assembly.py: tenants' revenue and costs add up to
the waterfall's, allocated + residue = pool, gross margin = tenants' margins - residual - residue.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from msgspec import UNSET

from governance.economics.formulas import allocation as sharing
from governance.economics.formulas import margin, retention, unit_cost
from governance.economics.formulas.allocation import Allocation
from governance.economics.formulas.estimates import Estimate, NotEstimable, ratio
from governance.economics.formulas.margin import Result
from governance.economics.formulas.money import rounded
from governance.economics.formulas.sensitivity import TenantSensitivity, margins_by_driver
from governance.economics.reviews.facts.loss_reasons import Burden, reason_of_loss
from governance.economics.reviews.facts.review_facts import (
    Costs,
    MrrBridge,
    Pool,
    Ratios,
    Reason,
    ReviewFacts,
    SystemMonth,
    TenantMonth,
    Waterfall,
)
from governance.economics.reviews.facts.segments import segments_of
from governance.economics.reviews.facts.tiers import tiers_of
from governance.economics.reviews.inputs.month_inputs import (
    ZERO,
    Customer,
    CustomerUsage,
    MonthInputs,
    SupportUsage,
)
from governance.kernel.months import Month

INFRASTRUCTURE = (sharing.Pool.INFRASTRUCTURE, sharing.Pool.IDLE, sharing.Pool.OTHER)


def assemble(inputs: MonthInputs) -> ReviewFacts:
    """Compute the review of the month."""
    shared = _shared(inputs, inputs.allocation)
    tenants = _tenants(inputs, shared)
    waterfall = _waterfall(inputs, tenants, shared)
    return ReviewFacts(
        month=inputs.month,
        currency=inputs.currency,
        operator=inputs.operator,
        inputs=list(inputs.inputs),
        rates=list(inputs.rates),
        formulas=list(inputs.formulas),
        rules=list(inputs.rules),
        waterfall=waterfall,
        mrr=inputs.bridge,
        accounts=inputs.accounts,
        ratios=_ratios(inputs, waterfall, tenants),
        requests=sum(each.requests for each in tenants),
        tokens=sum(each.tokens for each in tenants),
        events=sum(each.requests for each in tenants),
        tenants=tenants,
        segments=segments_of(inputs, tenants),
        tiers=tiers_of(inputs, tenants),
        systems=_systems(inputs),
        adoption=list(inputs.adoption),
        cohorts=list(inputs.cohorts),
        reconciliation=inputs.reconciliation,
        pools=[
            Pool(name=name.value, total=each.total, allocated=each.allocated, residue=each.residue)
            for name, each in shared.pools.items()
        ],
        unpriced=list(inputs.unpriced) or UNSET,
    )


# ---- tenants


class _Direct(NamedTuple):
    """A tenant's own revenue and direct costs, to the cent."""

    customer: Customer
    usage: CustomerUsage
    support: SupportUsage
    revenue: Decimal
    models: Decimal


def _direct(inputs: MonthInputs) -> list[_Direct]:
    def cents(amount: Decimal) -> Decimal:
        return rounded(amount, inputs.currency)

    found = []
    for each in inputs.customers:
        usage = inputs.usage.get(each.id, CustomerUsage())
        revenue, support = inputs.invoiced.get(each.id, ZERO), inputs.support.get(each.id)
        found.append(
            _Direct(each, usage, support or SupportUsage(), cents(revenue), cents(usage.models))
        )
    return found


def _drivers(inputs: MonthInputs) -> dict[UUID, sharing.TenantMonth]:
    return {
        each.customer.id: sharing.TenantMonth(
            each.usage.tokens, each.usage.requests, each.usage.active_users, each.revenue
        )
        for each in _direct(inputs)
    }


def _shared(
    inputs: MonthInputs, rules: Mapping[sharing.Pool, sharing.Rule[UUID]]
) -> Allocation[UUID]:
    return sharing.allocate_pools(inputs.pools, rules, _drivers(inputs))


def _sensitivities(
    inputs: MonthInputs, direct: Sequence[_Direct]
) -> dict[UUID, TenantSensitivity[UUID]]:
    before = {
        each.customer.id: each.revenue - each.models - _support(each, inputs.currency)
        for each in direct
    }
    found = margins_by_driver(before, inputs.pools, inputs.allocation, _drivers(inputs))
    return {each.tenant: each for each in found.tenants}


def _tenants(inputs: MonthInputs, shared: Allocation[UUID]) -> list[TenantMonth]:
    direct = _direct(inputs)
    costs = {each.customer.id: _costs(each, shared, inputs.currency) for each in direct}
    everyone = _burden_of_all(direct, costs)
    sensitivities = _sensitivities(inputs, direct)
    found = []
    for each in direct:
        mine = costs[each.customer.id]
        is_loss = each.revenue < mine.total
        reason = reason_of_loss(_burden(each, mine), everyone) if is_loss else None
        found.append(_tenant(inputs, each, mine, sensitivities[each.customer.id], reason))
    return sorted(found, key=lambda tenant: (tenant.margin, tenant.name))


def _tenant(
    inputs: MonthInputs,
    each: _Direct,
    costs: Costs,
    sensitivity: TenantSensitivity[UUID],
    reason: Reason | None,
) -> TenantMonth:
    customer, usage = each.customer, each.usage
    return TenantMonth(
        id=str(customer.id),
        slug=customer.slug,
        name=customer.name,
        segment=customer.segment,
        tier=customer.tier,
        is_active=customer.is_active,
        revenue=each.revenue,
        mrr=inputs.mrr.get(customer.id, ZERO),
        costs=costs,
        margin=each.revenue - costs.total,
        requests=usage.requests,
        refused=usage.refused,
        tokens=usage.tokens,
        completed_tasks=usage.completed_tasks,
        active_users=usage.active_users,
        seats=customer.seats,
        margin_by_driver={
            driver_name(driver): amount for driver, amount in sensitivity.by_driver.items()
        },
        conclusion=sensitivity.conclusion,
        reason=reason,
        sla_credits=inputs.sla_credits.get(customer.id),
        unnamed_tasks=usage.unnamed_tasks,
    )


def driver_name(driver: sharing.Driver) -> str:
    """Return the driver as words: "active users"."""
    return driver.value.replace("_", " ")


def _support(each: _Direct, currency: str) -> Decimal:
    return rounded(each.support.cost, currency)


def _costs(each: _Direct, shared: Allocation[UUID], currency: str) -> Costs:
    def share(*pools: sharing.Pool) -> Decimal:
        held = [shared.pools[pool] for pool in pools if pool in shared.pools]
        return sum((pool.by_key.get(each.customer.id, ZERO) for pool in held), ZERO)

    return Costs(
        models=each.models,
        guardrails=share(sharing.Pool.GUARDRAILS),
        infrastructure=share(*INFRASTRUCTURE),
        support=_support(each, currency) + share(sharing.Pool.SUPPORT),
    )


def _burden(each: _Direct, costs: Costs) -> Burden:
    return Burden(
        revenue=each.revenue,
        costs=costs,
        requests=each.usage.requests,
        tokens=each.usage.tokens,
        hours=each.support.hours,
        tickets=each.support.tickets,
        seats=each.customer.seats,
    )


def _burden_of_all(direct: Sequence[_Direct], costs: Mapping[UUID, Costs]) -> Burden:
    every = [_burden(each, costs[each.customer.id]) for each in direct]
    return Burden(
        revenue=sum((each.revenue for each in every), ZERO),
        costs=_sum_of([each.costs for each in every]),
        requests=sum(each.requests for each in every),
        tokens=sum(each.tokens for each in every),
        hours=sum((each.hours for each in every), ZERO),
        tickets=sum(each.tickets for each in every),
        seats=sum(each.seats for each in every),
    )


# ---- the whole month


def _sum_of(costs: Sequence[Costs]) -> Costs:
    return Costs(
        models=sum((each.models for each in costs), ZERO),
        guardrails=sum((each.guardrails for each in costs), ZERO),
        infrastructure=sum((each.infrastructure for each in costs), ZERO),
        support=sum((each.support for each in costs), ZERO),
    )


def _waterfall(
    inputs: MonthInputs, tenants: Sequence[TenantMonth], shared: Allocation[UUID]
) -> Waterfall:
    revenue = sum((each.revenue for each in tenants), ZERO)
    costs = _sum_of([each.costs for each in tenants])
    residual = rounded(inputs.reconciliation.residual, inputs.currency)
    gross = revenue - costs.total - residual - shared.residue
    month = Month.parse(inputs.month)
    acquisition = sum((each.spend for each in inputs.acquisition if each.month == month), ZERO)
    spent = rounded(acquisition, inputs.currency)
    return Waterfall(
        revenue=revenue,
        costs=costs,
        residual=residual,
        residue=shared.residue,
        gross_margin=gross,
        acquisition=spent,
        contribution=gross - spent,
    )


def result_of(waterfall: Waterfall) -> Result:
    """Return the month as input of formulas.

    The residual counts as model cost, the residue as infrastructure.
    """
    costs = waterfall.costs
    return Result(
        waterfall.revenue,
        costs.models + waterfall.residual,
        costs.guardrails,
        costs.infrastructure + waterfall.residue,
        costs.support,
        waterfall.acquisition,
    )


def movements_of(bridge: MrrBridge) -> retention.Movements:
    """Return the bridge as input of formulas."""
    return retention.Movements(
        bridge.start,
        bridge.new,
        bridge.expansion,
        bridge.contraction,
        bridge.churn,
        bridge.reactivation,
    )


def _ratios(inputs: MonthInputs, waterfall: Waterfall, tenants: Sequence[TenantMonth]) -> Ratios:
    result, moved, accounts = result_of(waterfall), movements_of(inputs.bridge), inputs.accounts
    interval = margin.gross_margin_interval(result, waterfall.residual)
    requests = sum(each.requests for each in tenants)
    tasks = sum(each.completed_tasks for each in tenants)
    cost = waterfall.costs.total + waterfall.residual + waterfall.residue
    models = waterfall.costs.models
    estimates: dict[str, Estimate] = {
        "gross_margin": margin.gross_margin(result),
        "gross_margin_low": _part(interval, lambda each: each.low),
        "gross_margin_high": _part(interval, lambda each: each.high),
        "contribution": margin.contribution_margin(result),
        "arpa": retention.arpa(inputs.bridge.end, accounts.end),
        "logo_churn": retention.logo_churn(accounts.start, accounts.lost),
        "grr": retention.gross_retention(moved),
        "nrr": retention.net_retention(moved),
        "quick_ratio": retention.quick_ratio(moved),
        "cost_per_request": unit_cost.cost_per_request(cost, requests),
        "guardrails_per_request": unit_cost.cost_per_request(waterfall.costs.guardrails, requests),
        "cost_per_active_user": unit_cost.cost_per_active_user(cost, inputs.active_users),
        "cost_per_task": unit_cost.cost_per_completed_task(models, tasks),
    }
    return ratios_of(estimates)


def ratios_of(estimates: Mapping[str, Estimate]) -> Ratios:
    """Return the known figures, and the reasons of those that aren't estimable."""
    known = {
        name: None if isinstance(each, NotEstimable) else each for name, each in estimates.items()
    }
    why = {name: each.reason for name, each in estimates.items() if isinstance(each, NotEstimable)}
    return Ratios(**known, why=why)


def _part[I](interval: I | NotEstimable, of: Callable[[I], Decimal]) -> Estimate:
    return interval if isinstance(interval, NotEstimable) else of(interval)


def _systems(inputs: MonthInputs) -> list[SystemMonth]:
    slugs = {each.id: each.slug for each in inputs.customers}
    found = []
    for each in inputs.systems:
        per_task = unit_cost.cost_per_completed_task(each.models, each.completed_tasks)
        found.append(
            SystemMonth(
                tenant=slugs[each.customer_id],
                system=each.system,
                feature=each.feature,
                attempts=each.attempts,
                completed_tasks=each.completed_tasks,
                cost=rounded(each.models, inputs.currency),
                per_task=None if isinstance(per_task, NotEstimable) else per_task,
                p50=each.p50,
                p95=each.p95,
                p99=each.p99,
                unnamed_tasks=each.unnamed_tasks,
            )
        )
    return sorted(found, key=lambda each: (-each.cost, each.tenant, each.system, each.feature))


def share_of(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return part ÷ whole, or None if the whole is 0."""
    found = ratio(part, whole, otherwise="nothing")
    return None if isinstance(found, NotEstimable) else found
