"""Read the inputs of a month's review, in the operator's own tenant.

read(month, users)     the inputs of a month; `users` must be counted before, in each customer's
tenant
digests(month)         only the digests of the inputs, to detect changes
has_money(month)       whether anything was used, billed or invoiced in the month

Raises MissingRate if a currency has no rate in the month or any month before.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from governance.economics.allocation import queries as allocation
from governance.economics.allocation.queries import RulesInForce
from governance.economics.costs import queries as costs
from governance.economics.costs import reconciliation_queries
from governance.economics.costs.reconciliation import MonthResidual
from governance.economics.costs.residual_causes import CAUSES
from governance.economics.formulas import acquisition as winning
from governance.economics.formulas import definitions
from governance.economics.formulas.allocation import Pool
from governance.economics.formulas.money import rounded
from governance.economics.formulas.survival import Tenure
from governance.economics.prices import queries as prices
from governance.economics.prices.model_names import match_key
from governance.economics.rates import queries as rates
from governance.economics.rates.conversion import MonthRates
from governance.economics.revenue import queries as revenue
from governance.economics.revenue.mrr import Bridge
from governance.economics.reviews import queries
from governance.economics.reviews.facts.assembly import driver_name
from governance.economics.reviews.facts.review_facts import (
    AccountCounts,
    Cause,
    DayResidual,
    FormulaUsed,
    Input,
    MrrBridge,
    RateUsed,
    ReconciledDay,
    ReconciledModel,
    Reconciliation,
    RuleUsed,
)
from governance.economics.reviews.facts.segments import CAC_MONTHS, LAG_MONTHS
from governance.economics.reviews.inputs import usage_reading
from governance.economics.reviews.inputs.digests import make_input
from governance.economics.reviews.inputs.month_inputs import (
    ZERO,
    Customer,
    GuardrailReviews,
    MonthInputs,
    SegmentHistory,
    SupportUsage,
)
from governance.economics.reviews.inputs.usage_sums import UsageSum, usage_sums
from governance.economics.reviews.inputs.user_reading import Users, adoption_of, cohorts_of
from governance.economics.reviews.models import GuardrailMonth
from governance.kernel import current
from governance.kernel.months import Month
from governance.operations.policies.tiers import TIERS

NO_SEGMENT = "No segment"
YEAR = 12  # months over which churn is counted


class _Read(NamedTuple):
    """The database rows of a month, before any computation."""

    month: Month
    rates: MonthRates
    sums: Sequence[UsageSum]
    rules: RulesInForce
    residual: MonthResidual
    bridge: Bridge


def read(month: Month, users: Mapping[UUID, Users]) -> MonthInputs:
    """Read the inputs of a month."""
    found = _read(month)
    customers = _customers(month, found.sums, users)
    usage = usage_reading.by_customer(found.sums, users, found.rates)
    pools = costs.pools(month)
    return MonthInputs(
        month=str(month),
        currency=found.rates.reporting,
        operator=current.actor().tenant_name,
        customers=customers,
        usage=usage,
        systems=usage_reading.by_system(found.sums, users, found.rates),
        invoiced=revenue.invoiced_by_customer(month),
        mrr=revenue.mrr_by_customer(month),
        bridge=_bridge(found.bridge),
        accounts=_accounts(found.bridge),
        support={
            key: SupportUsage(each.hours, each.tickets, each.cost)
            for key, each in revenue.support_by_customer(month).items()
        },
        pools={pool: _cents(pools.get(pool.value, ZERO)) for pool in Pool},
        allocation=found.rules.rules,
        acquisition=_acquisition(month),
        history=_history(month),
        guardrail_reviews=_guardrail_reviews(month, customers),
        tier_order=[each.name for each in TIERS.values()],
        adoption=adoption_of(users, {each.id: each.seats for each in customers}),
        cohorts=cohorts_of(users, month),
        reconciliation=_reconciliation(found.residual),
        active_users=sum(each.active for each in users.values()),
        sla_credits=_sla_credits(users, found.rates),
        inputs=_inputs(found),
        rates=_rates(found),
        formulas=_formulas(),
        rules=_rules(found.rules),
        unpriced=usage_reading.unpriced(found.sums),
    )


def digests(month: Month) -> list[Input]:
    """Return the inputs of a month with their digests."""
    return _inputs(_read(month))


def has_money(month: Month) -> bool:
    """Return whether anything was used, billed or invoiced in the month."""
    return bool(
        usage_sums(month) or costs.month_totals(month) or revenue.invoiced_by_customer(month)
    )


def _read(month: Month) -> _Read:
    its_rates = rates.month_rates(month)
    sums = usage_sums(month)
    limit = queries.settings().residual_limit
    residual = reconciliation_queries.month_residual(month, limit)
    return _Read(
        month,
        its_rates,
        sums,
        allocation.rules_in_force(month),
        residual,
        revenue.mrr_bridge(month),
    )


# ---- customers and revenue


def _customers(
    month: Month, sums: Iterable[UsageSum], users: Mapping[UUID, Users]
) -> list[Customer]:
    """Return each customer that had an account in the month, used something, or was invoiced."""
    every = revenue.customers()
    accounts = {each.customer_id: each for each in revenue.accounts(month)}
    wanted = accounts.keys() | {each.customer_id for each in sums}
    wanted |= revenue.invoiced_by_customer(month).keys() | revenue.mrr_by_customer(month).keys()
    return [
        Customer(
            each.id,
            each.slug,
            each.name,
            accounts[each.id].segment if each.id in accounts else NO_SEGMENT,
            (users[each.id].tier if each.id in users else "") or _tier_name(each.tier),
            each.is_active,
            accounts[each.id].seats if each.id in accounts else 0,
        )
        for each in every.values()
        if each.id in wanted
    ]


def _sla_credits(users: Mapping[UUID, Users], converted: MonthRates) -> dict[UUID, Decimal]:
    """Return the SLA credits of each customer that has any, to the cent."""
    return {
        key: rounded(
            converted.total((credit.amount, credit.currency) for credit in each.credits),
            converted.reporting,
        )
        for key, each in users.items()
        if each.credits
    }


def _tier_name(key: str) -> str:
    """Return the name of the tier that a tenant without its own policy was created with."""
    return TIERS[key].name if key in TIERS else key


def _bridge(found: Bridge) -> MrrBridge:
    return MrrBridge(
        start=found.start,
        new=found.new,
        expansion=found.expansion,
        reactivation=found.reactivation,
        contraction=found.contraction,
        churn=found.churn,
        end=found.end,
    )


def _accounts(found: Bridge) -> AccountCounts:
    return AccountCounts(
        start=found.started,
        won=found.won,
        returned=found.returned,
        lost=found.lost,
        end=found.ended,
    )


def _acquisition(month: Month) -> list[winning.AcquisitionMonth]:
    months = [month.plus(-back) for back in range(CAC_MONTHS + LAG_MONTHS)]
    return [
        winning.AcquisitionMonth(each.month, each.segment, each.spend, each.wins)
        for each in revenue.acquisition(months)
    ]


def _history(month: Month) -> dict[str, SegmentHistory]:
    """Return tenures up to the month's end, and churn of the last twelve months, by segment."""
    tenures = revenue.lifetimes(month.last_day)
    first = month.plus(1 - YEAR)
    lost: dict[str, int] = {}
    months: dict[str, int] = {}
    for each in revenue.all_accounts():
        for back in range(YEAR):
            one = first.plus(back)
            if each.won_on < one.first_day and (
                each.lost_on is None or each.lost_on > one.first_day
            ):
                months[each.segment] = months.get(each.segment, 0) + 1
        if each.lost_on is not None and first.first_day < each.lost_on <= month.last_day:
            lost[each.segment] = lost.get(each.segment, 0) + 1
    return {
        name: SegmentHistory(
            tuple(Tenure(held, left) for held, left in tenures.get(name, ())),
            lost.get(name, 0),
            months.get(name, 0),
        )
        for name in tenures.keys() | months.keys()
    }


def _guardrail_reviews(month: Month, customers: Iterable[Customer]) -> dict[str, GuardrailReviews]:
    """Return review findings by tier.

    The delay is the sum over a customer's guardrails, averaged over the customers with findings.
    """
    tiers = {each.id: each.tier for each in customers}
    blocks: dict[str, list[GuardrailMonth]] = {}
    for each in queries.guardrail_months(month):
        if each.customer_id in tiers:
            blocks.setdefault(tiers[each.customer_id], []).append(each)
    return {
        tier: GuardrailReviews(
            sum(each.confirmed for each in rows),
            sum(each.mistaken for each in rows),
            Decimal(sum(each.milliseconds for each in rows))
            / len({each.customer_id for each in rows}),
        )
        for tier, rows in blocks.items()
    }


# ---- costs


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


def _reconciliation(found: MonthResidual) -> Reconciliation:
    causes = found.causes
    return Reconciliation(
        models=[
            ReconciledModel(
                provider=provider.provider,
                model=each.model,
                computed=each.computed,
                invoiced=each.invoiced,
                residual=each.residual,
            )
            for provider in found.providers
            for each in provider.models
        ],
        causes=[Cause(name=cause_name(name), amount=causes[name]) for name in CAUSES],
        days=[
            DayResidual(day=day.isoformat() if day else "", amount=amount)
            for day, amount in found.by_day.items()
        ],
        computed=found.computed,
        invoiced=found.invoiced,
        residual=found.residual,
        share=found.share,
        limit=found.limit,
        model_days=[
            ReconciledDay(
                provider=each.provider,
                model=each.model,
                day=each.day.isoformat() if each.day else "",
                computed=each.computed,
                invoiced=each.invoiced,
                causes=[
                    Cause(name=cause_name(name), amount=each.causes[name])
                    for name in CAUSES
                    if each.causes.get(name)
                ],
            )
            for each in found.days
        ],
    )


def cause_name(name: str) -> str:
    """Return the cause as words: "unmetered calls"."""
    return CAUSES[name].lower()


# ---- sources of figures


def _inputs(found: _Read) -> list[Input]:
    month = found.month
    models = {(each.provider, each.model) for each in found.sums}
    return [
        make_input("usage", "Usage and its cost", found.sums, "API and files"),
        make_input("bills", "Provider bills", _bill_rows(month), "FOCUS files and manual lines"),
        make_input(
            "residual",
            "Invoiced model cost by day",
            [
                (each.provider, each.model, each.day, each.cost)
                for each in reconciliation_queries.invoiced_by_day(month, models)
            ],
            "FOCUS files",
        ),
        make_input("revenue", "Invoices", revenue.invoiced_by_customer(month).items(), "Files"),
        make_input("mrr", "Subscriptions", revenue.mrr_by_customer(month).items(), "Files"),
        make_input(
            "support",
            "Support",
            [
                (key, each.hours, each.tickets, each.cost)
                for key, each in revenue.support_by_customer(month).items()
            ],
            "Files",
        ),
        make_input(
            "acquisition",
            "Acquisition",
            [(each.month, each.segment, each.spend, each.wins) for each in _acquisition(month)],
            "Files",
        ),
        make_input("prices", "Price book", _price_rows(found.sums), "Price book"),
    ]


def _bill_rows(month: Month) -> list[tuple[object, ...]]:
    return [
        (each.provider, each.pool, each.currency, each.billed, each.effective)
        for each in costs.month_totals(month)
    ]


def _price_rows(sums: Iterable[UsageSum]) -> list[tuple[object, ...]]:
    keys = {match_key(each.provider, each.model) for each in sums}
    return [
        (each.match_key, each.effective_from, each.currency, each.input_price, each.output_price)
        for each in prices.prices_of(keys)
    ]


def _rates(found: _Read) -> list[RateUsed]:
    return [
        RateUsed(currency=currency, rate=Decimal(f"{rate.normalize():f}"))
        for currency, rate in sorted(found.rates.rates.items())
    ]


def _formulas() -> list[FormulaUsed]:
    return [
        FormulaUsed(
            name=each.name,
            version=each.version,
            text=each.formula,
            unit=each.unit,
            title=each.title,
        )
        for each in (definitions.definition(name) for name in definitions.CURRENT)
    ]


def _rules(found: RulesInForce) -> list[RuleUsed]:
    return [
        RuleUsed(
            pool=pool.value,
            driver=driver_name(rule.driver),
            version=found.number,
            since=str(found.since or ""),
        )
        for pool, rule in found.rules.items()
    ]
