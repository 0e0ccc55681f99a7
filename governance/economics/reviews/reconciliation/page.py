"""Template values of the tab "Reconciliation and allocation". Pure.

context(facts, accepted)     the values of templates/economics/reviews/reconciliation.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from governance.economics.reviews import figures, review_charts
from governance.economics.reviews.facts.review_facts import (
    Reconciliation,
    ReviewFacts,
    TenantMonth,
)
from governance.economics.reviews.reconciliation import conclusions as say
from governance.economics.reviews.reconciliation import residual_advice

MAX_TENANTS = 6  # listed individually; the rest is one line
RULES = ("tokens", "requests", "active users", "revenue", "equal", "fixed shares")
NO_MODEL = "no model"  # for charges without a model
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ReconciledRow:
    """A provider with all its models, or one model: residual = invoiced - computed.

    `model` is None in the row of a provider with several models.
    """

    name: str
    provider: str
    model: str | None
    is_provider: bool
    computed: Decimal
    invoiced: Decimal
    limit: Decimal

    @property
    def residual(self) -> Decimal:
        return self.invoiced - self.computed

    @property
    def share(self) -> Decimal | None:
        return self.residual / self.invoiced if self.invoiced else None

    @property
    def is_over(self) -> bool:
        """Whether the residual is above the limit, or there is cost but no invoice."""
        if self.share is None:
            return self.computed != 0
        return abs(self.share) > self.limit


def context(facts: ReviewFacts, accepted: str | None) -> dict[str, Any]:
    """Return the template's values."""
    checked = facts.reconciliation
    causes, days = say.causes(checked, facts.currency), say.days(checked)
    shown = shown_tenants(facts.tenants)
    rest = [each for each in facts.tenants if each not in shown]
    rules = rules_of(facts.tenants)
    reach = review_charts.reach_of(shown)
    totals = {rule: sum_by(facts.tenants, rule) for rule in rules}
    return {
        "title": say.headline(facts, accepted),
        "checked": checked,
        "decimals": figures.scale_decimals(checked.invoiced),
        "limit": say.limit_text(checked),
        "providers": len({each.provider for each in checked.models}),
        "models_title": say.models(checked),
        "rows": reconciled_rows(checked),
        "causes_title": causes,
        "cause_chart": review_charts.causes(checked, facts.currency, causes)
        if checked.causes
        else None,
        "days_title": days,
        "day_chart": review_charts.days(checked, facts.currency, days) if checked.days else None,
        "advice": residual_advice.advice(checked.model_days, facts.currency),
        "shared_title": say.shared(facts),
        "shared_total": sum((each.total for each in facts.pools), ZERO),
        "allocated": sum((each.allocated for each in facts.pools), ZERO),
        "residue": sum((each.residue for each in facts.pools), ZERO),
        "rule_of": {each.pool: each for each in facts.rules},
        "sensitivity_title": say.sensitivity(facts),
        "rules": rules,
        "tenants": [(each, review_charts.margins(each, reach, "in force")) for each in shown],
        "rest": len(rest),
        "rest_margin": sum((each.margin for each in rest), ZERO),
        "rest_by_rule": {rule: sum_by(rest, rule) for rule in rules},
        "rest_change": sum(_changes_sign(each) for each in rest),
        "total_margin": sum((each.margin for each in facts.tenants), ZERO),
        "totals": totals,
        "is_same": len(set(totals.values())) <= 1,
    }


def reconciled_rows(checked: Reconciliation) -> list[ReconciledRow]:
    """Return each provider followed by its models. A provider with one model has one row."""
    found: list[ReconciledRow] = []
    for provider in sorted({each.provider for each in checked.models}):
        models = [each for each in checked.models if each.provider == provider]
        computed = sum((each.computed for each in models), ZERO)
        invoiced = sum((each.invoiced for each in models), ZERO)
        alone = models[0].model if len(models) == 1 else None
        name = provider if alone is None else f"{provider}, {alone or NO_MODEL}"
        found.append(ReconciledRow(name, provider, alone, True, computed, invoiced, checked.limit))
        found += [
            ReconciledRow(
                each.model or NO_MODEL,
                provider,
                each.model,
                False,
                each.computed,
                each.invoiced,
                checked.limit,
            )
            for each in (models if len(models) > 1 else ())
        ]
    return found


def shown_tenants(tenants: Sequence[TenantMonth]) -> list[TenantMonth]:
    """Return the tenants to list: those with a negative margin under a rule come first.

    They are sorted by margin, the lowest first; the others by range, the largest first.
    """

    def order(each: TenantMonth) -> tuple[bool, Decimal, Decimal, str]:
        margins = [each.margin, *each.margin_by_driver.values()]
        loses = min(margins) < 0
        return (not loses, each.margin if loses else ZERO, min(margins) - max(margins), each.name)

    return sorted(tenants, key=order)[:MAX_TENANTS]


def rules_of(tenants: Sequence[TenantMonth]) -> list[str]:
    """Return the rules with known margins, in the order of RULES, then by name."""
    found = {rule for each in tenants for rule in each.margin_by_driver}
    return [*(each for each in RULES if each in found), *sorted(found - set(RULES))]


def sum_by(tenants: Sequence[TenantMonth], rule: str) -> Decimal:
    """Return the sum of margins under that rule; a tenant without it counts with the one in force."""
    return sum((each.margin_by_driver.get(rule, each.margin) for each in tenants), ZERO)


def _changes_sign(tenant: TenantMonth) -> bool:
    margins = [tenant.margin, *tenant.margin_by_driver.values()]
    return min(margins) < 0 <= max(margins)
