"""Compare computed cost with invoiced cost, by provider, model and day. Pure.

The residual is invoiced − computed, its share is of what is invoiced, and both may be negative.
residual_causes.py splits each model's residual of a day; here everything is added up. Amounts are
exact decimals in one currency, and every sum agrees with its parts exactly.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, localcontext
from statistics import median

import msgspec

from governance.economics.costs import residual_causes
from governance.economics.costs.residual_causes import CAUSES, Charge, Invoiced, Metered

DEFAULT_LIMIT = Decimal("0.02")  # share of the invoiced cost
DIGITS = 60  # of intermediate sums, so that none is rounded
ZERO = Decimal(0)


class ModelResidual(msgspec.Struct, frozen=True, kw_only=True):
    """A model of a provider in the month. `is_matched`: the usage has a model of that name."""

    provider: str
    model: str
    computed: Decimal
    invoiced: Decimal
    causes: Mapping[str, Decimal]
    is_matched: bool

    @property
    def residual(self) -> Decimal:
        return self.invoiced - self.computed

    @property
    def share(self) -> Decimal | None:
        return share_of(self.residual, self.invoiced)


class ProviderResidual(msgspec.Struct, frozen=True, kw_only=True):
    """A provider and its models, the largest residual first."""

    provider: str
    models: Sequence[ModelResidual]

    @property
    def computed(self) -> Decimal:
        return sum((each.computed for each in self.models), ZERO)

    @property
    def invoiced(self) -> Decimal:
        return sum((each.invoiced for each in self.models), ZERO)

    @property
    def residual(self) -> Decimal:
        return self.invoiced - self.computed

    @property
    def share(self) -> Decimal | None:
        return share_of(self.residual, self.invoiced)


class ModelDay(msgspec.Struct, frozen=True):
    """A provider's model on a day; `day` is None for a charge of the whole month."""

    day: date | None
    provider: str
    model: str
    computed: Decimal
    invoiced: Decimal
    causes: Mapping[str, Decimal]

    @property
    def residual(self) -> Decimal:
        return self.invoiced - self.computed


class MonthResidual(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of a month. `limit` is the largest share at which it may close."""

    providers: Sequence[ProviderResidual]
    days: Sequence[ModelDay]
    limit: Decimal

    @property
    def computed(self) -> Decimal:
        return sum((each.computed for each in self.providers), ZERO)

    @property
    def invoiced(self) -> Decimal:
        return sum((each.invoiced for each in self.providers), ZERO)

    @property
    def residual(self) -> Decimal:
        return self.invoiced - self.computed

    @property
    def share(self) -> Decimal | None:
        return share_of(self.residual, self.invoiced)

    @property
    def is_within(self) -> bool:
        """Whether the month may close without two people accepting the residual."""
        return abs(self.residual) <= self.limit * abs(self.invoiced)

    @property
    def causes(self) -> dict[str, Decimal]:
        """The amount of each cause. They add up to the residual."""
        return add_causes(each.causes for each in self.days)

    @property
    def explained(self) -> Decimal:
        return self.residual - self.causes["unexplained"]

    @property
    def by_day(self) -> dict[date | None, Decimal]:
        """The residual of each day, in order; charges of the whole month come last."""
        found: dict[date | None, Decimal] = {}
        for each in sorted(self.days, key=lambda each: each.day or date.max):
            found[each.day] = found.get(each.day, ZERO) + each.residual
        return found


def share_of(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return part ÷ whole to eight places, or None if the whole is zero."""
    return (part / whole).quantize(Decimal("1e-8")) if whole else None


def add_causes(some: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """Add up causes. The result has every cause."""
    total = dict.fromkeys(CAUSES, ZERO)
    for causes in some:
        for cause, amount in causes.items():
            total[cause] += amount
    return total


def reconcile(
    metered: Iterable[Metered], invoiced: Iterable[Invoiced], limit: Decimal = DEFAULT_LIMIT
) -> MonthResidual:
    """Compare the computed cost of a month with the invoiced one.

    Rows of the same provider, model and day are added up. A model that is invoiced on one day and
    used on others is compared for the month as a whole.
    """
    with localcontext(prec=DIGITS):
        used, billed = _by_model(metered), _by_model(invoiced)
        days = [
            day
            for key in sorted(used.keys() | billed.keys())
            for day in _days_of(*key, used.get(key, []), billed.get(key, []))
        ]
        unmatched = {key for key, rows in billed.items() if not all(r.is_matched for r in rows)}
        return MonthResidual(providers=_providers(days, unmatched), days=days, limit=limit)


def _by_model[T: (Metered, Invoiced)](rows: Iterable[T]) -> dict[tuple[str, str], list[T]]:
    found: dict[tuple[str, str], list[T]] = {}
    for row in rows:
        found.setdefault((row.provider, row.model), []).append(row)
    return found


def _days_of(
    provider: str, model: str, used: Sequence[Metered], billed: Sequence[Invoiced]
) -> list[ModelDay]:
    typical = _median_cost(used)
    used_days, billed_days = {each.day for each in used}, {each.day for each in billed}
    is_monthly = len(billed_days) == 1 and len(used_days - billed_days) > 0
    days: list[date | None] = [None] if is_monthly else [*sorted(used_days | billed_days)]
    found = []
    for day in days:
        computed = _add_metered([each for each in used if day in (None, each.day)])
        charged = _add_invoiced([each for each in billed if day in (None, each.day)])
        causes = residual_causes.split(computed, charged, typical)
        found.append(ModelDay(day, provider, model, computed.cost, charged.cost, causes))
    return found


def _median_cost(used: Sequence[Metered]) -> Decimal:
    """Return the cost of a request: the median of the days' averages."""
    costs = [each.cost / each.requests for each in used if each.requests > 0]
    return median(costs) if costs else ZERO


def _add_metered(rows: Sequence[Metered]) -> Metered:
    tokens: dict[str, int] = {}
    costs: dict[str, Decimal] = {}
    for row in rows:
        for bucket, count in row.tokens.items():
            tokens[bucket] = tokens.get(bucket, 0) + count
        for bucket, cost in row.costs.items():
            costs[bucket] = costs.get(bucket, ZERO) + cost
    return Metered(
        provider=rows[0].provider if rows else "",
        model=rows[0].model if rows else "",
        day=rows[0].day if rows else date.min,
        cost=sum((row.cost for row in rows), ZERO),
        requests=sum(row.requests for row in rows),
        attempts_without_tokens=sum(row.attempts_without_tokens for row in rows),
        tokens=tokens,
        costs=costs,
    )


def _add_invoiced(rows: Sequence[Invoiced]) -> Invoiced:
    meters: dict[str, Charge] = {}
    for row in rows:
        for meter, charge in row.meters.items():
            earlier = meters.get(meter, Charge())
            meters[meter] = Charge(
                earlier.quantity + charge.quantity,
                earlier.cost + charge.cost,
                earlier.lines + charge.lines,
            )
    return Invoiced(
        provider=rows[0].provider if rows else "",
        model=rows[0].model if rows else "",
        day=rows[0].day if rows else date.min,
        cost=sum((row.cost for row in rows), ZERO),
        lines=sum(row.lines for row in rows),
        meters=meters,
        is_matched=all(row.is_matched for row in rows),
    )


def _providers(days: Sequence[ModelDay], unmatched: set[tuple[str, str]]) -> list[ProviderResidual]:
    by_model: dict[tuple[str, str], list[ModelDay]] = {}
    for each in days:
        by_model.setdefault((each.provider, each.model), []).append(each)
    by_provider: dict[str, list[ModelResidual]] = {}
    for (provider, model), some in by_model.items():
        residual = ModelResidual(
            provider=provider,
            model=model,
            computed=sum((each.computed for each in some), ZERO),
            invoiced=sum((each.invoiced for each in some), ZERO),
            causes=add_causes(each.causes for each in some),
            is_matched=(provider, model) not in unmatched,
        )
        by_provider.setdefault(provider, []).append(residual)
    providers = [
        ProviderResidual(
            provider=name, models=sorted(models, key=lambda each: (-abs(each.residual), each.model))
        )
        for name, models in by_provider.items()
    ]
    return sorted(providers, key=lambda each: (-each.invoiced, each.provider))
