"""The days of one row of the reconciliation: a provider with all its models, or one model. Pure.

find(facts, provider, model)    the row; raises NotFound if the review has none
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.economics.reviews.facts.review_facts import (
    Cause,
    DayResidual,
    ReconciledDay,
    Reconciliation,
    ReviewFacts,
)
from governance.economics.reviews.figures import scaled_money
from governance.kernel.errors import NotFound

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class DayOfRow:
    """A day: computed, invoiced, and the residual by cause. `day` is "" for the whole month."""

    day: str
    computed: Decimal
    invoiced: Decimal
    causes: Mapping[str, Decimal]

    @property
    def residual(self) -> Decimal:
        return self.invoiced - self.computed


@dataclass(frozen=True, slots=True)
class ReconciledDays:
    """A row with its days, in order. `model` is None for all models of the provider."""

    provider: str
    model: str | None
    computed: Decimal
    invoiced: Decimal
    days: Sequence[DayOfRow]
    parts: Sequence[ReconciledDay]

    @property
    def name(self) -> str:
        return self.provider if self.model is None else self.model or "Charges without a model"

    @property
    def residual(self) -> Decimal:
        return self.invoiced - self.computed

    @property
    def causes(self) -> Mapping[str, Decimal]:
        """The total of each cause, the largest first."""
        total: dict[str, Decimal] = {}
        for day in self.days:
            for name, amount in day.causes.items():
                total[name] = total.get(name, ZERO) + amount
        return dict(sorted(total.items(), key=lambda pair: (-abs(pair[1]), pair[0])))

    def headline(self, currency: str) -> str:
        """Return "helio-4-large: invoices exceed computed cost by €780"."""
        amount = scaled_money(abs(self.residual), currency, self.invoiced)
        if self.residual == 0:
            return f"{self.name}: invoices and computed cost are equal"
        if self.residual > 0:
            return f"{self.name}: invoices exceed computed cost by {amount}"
        return f"{self.name}: computed cost exceeds invoices by {amount}"

    def causes_title(self) -> str:
        """Return "Largest cause: cache accounting"."""
        largest = next((name for name, amount in self.causes.items() if amount), None)
        return f"Largest cause: {largest}" if largest else "No day has a residual"

    def reconciliation(self, checked: Reconciliation) -> Reconciliation:
        """Return the row as a Reconciliation, for charts and sentences."""
        return Reconciliation(
            models=[],
            causes=[Cause(name=name, amount=amount) for name, amount in self.causes.items()],
            days=[DayResidual(day=each.day, amount=each.residual) for each in self.days],
            computed=self.computed,
            invoiced=self.invoiced,
            residual=self.residual,
            share=self.residual / self.invoiced if self.invoiced else None,
            limit=checked.limit,
        )


def find(facts: ReviewFacts, provider: str, model: str | None) -> ReconciledDays:
    """Return the row with its days, without any if the review stores none. Raises NotFound."""
    checked = facts.reconciliation
    rows = [
        each for each in checked.models if each.provider == provider and model in (None, each.model)
    ]
    if not rows:
        raise NotFound("This review has no such provider and model.")
    parts = [
        each
        for each in checked.model_days
        if each.provider == provider and model in (None, each.model)
    ]
    return ReconciledDays(
        provider,
        model,
        sum((each.computed for each in rows), ZERO),
        sum((each.invoiced for each in rows), ZERO),
        [_day(day, parts) for day in sorted({each.day for each in parts}, key=_place)],
        parts,
    )


def _place(day: str) -> tuple[bool, str]:
    """Return a sort key that puts charges of the whole month last."""
    return (not day, day)


def _day(day: str, parts: Sequence[ReconciledDay]) -> DayOfRow:
    of_day = [each for each in parts if each.day == day]
    causes: dict[str, Decimal] = {}
    for each in of_day:
        for cause in each.causes:
            causes[cause.name] = causes.get(cause.name, ZERO) + cause.amount
    return DayOfRow(
        day,
        sum((each.computed for each in of_day), ZERO),
        sum((each.invoiced for each in of_day), ZERO),
        causes,
    )
