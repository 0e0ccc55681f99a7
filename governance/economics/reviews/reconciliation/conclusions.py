"""Conclusions on reconciliation and allocation, as sentences that are true of any month. Pure.

headline(facts, accepted)    of the page
models(checked)              on the table by provider and model
causes(checked, currency)    on the causes
days(checked)                on the residual by day
shared(facts)                on the pools
sensitivity(facts)           on the tenants under each rule
"""

from decimal import Decimal

from governance.economics.formulas.money import money, whole_money
from governance.economics.reviews.facts.review_facts import Reconciliation, ReviewFacts, TenantMonth
from governance.economics.reviews.figures import fine_percent, month_name, names, percent

UNEXPLAINED = "unexplained"
ZERO = Decimal(0)


def is_within(checked: Reconciliation) -> bool:
    """Return whether the residual is within the limit. False if nothing was invoiced."""
    return checked.share is not None and abs(checked.share) <= checked.limit


def limit_text(checked: Reconciliation) -> str:
    """Return the limit as "2%"."""
    return f"{(checked.limit * 100).normalize():f}%"


def headline(facts: ReviewFacts, accepted: str | None) -> str:
    """Return "Invoices exceed computed cost by 1.52%, within the 2% limit"."""
    checked, month = facts.reconciliation, month_name(facts.month, year=False)
    if checked.share is None:
        if checked.computed:
            return f"{month} has computed cost and no invoices to compare it with"
        return f"{month} has no model cost to reconcile"
    limit, share = limit_text(checked), fine_percent(abs(checked.share))
    if checked.residual == 0:
        said = "Invoices and computed cost are equal"
    elif checked.residual > 0:
        said = f"Invoices exceed computed cost by {share}"
    else:
        said = f"Computed cost exceeds invoices by {share}"
    if is_within(checked):
        return f"{said}, within the {limit} limit"
    return f"{said}, above the {limit} limit" + ("; two people accepted it" if accepted else "")


def models(checked: Reconciliation) -> str:
    """Return "helio-4-large carries 70% of the residual"."""
    if not checked.models:
        return "No model was used or invoiced"
    largest = max(checked.models, key=lambda each: (abs(each.residual), each.model))
    if largest.residual == 0:
        return "Every model's invoice matches its computed cost"
    share = largest.residual / checked.residual if checked.residual else ZERO
    if 0 < share <= 1:
        return f"{largest.model} carries {percent(share, Decimal(1))} of the residual"
    return f"{largest.model} has the largest residual"


def explained_share(checked: Reconciliation) -> Decimal | None:
    """Return the share of the residual that has a cause, or None if it isn't from 0 to 1."""
    open_part = sum((each.amount for each in checked.causes if each.name == UNEXPLAINED), ZERO)
    if checked.residual == 0 or not 0 <= open_part / checked.residual <= 1:
        return None
    return 1 - open_part / checked.residual


def causes(checked: Reconciliation, currency: str) -> str:
    """Return "88% of it is explained; €130 isn't"."""
    if checked.residual == 0:
        return "There is no residual to explain"
    left = sum((each.amount for each in checked.causes if each.name == UNEXPLAINED), ZERO)
    share = explained_share(checked)
    if share is None:
        return f"{whole_money(left, currency)} of the residual is unexplained"
    if left == 0:
        return "The residual is explained in full"
    if share == 0:
        return "None of the residual is explained"
    return f"{percent(share, Decimal(1))} of it is explained; {whole_money(left, currency)} isn't"


def days(checked: Reconciliation) -> str:
    """Return "Two days carry 43% of the residual"."""
    amounts = sorted((each.amount for each in checked.days), key=abs, reverse=True)
    if not amounts or amounts[0] == 0:
        return "No day has a residual"
    is_one_sided = all((each >= 0) == (checked.residual >= 0) or each == 0 for each in amounts)
    if is_one_sided and checked.residual and len(amounts) > 2:  # noqa: PLR2004 - more than two days
        share = percent((amounts[0] + amounts[1]) / checked.residual, Decimal(1))
        return f"Two days carry {share} of the residual"
    return "Residual by day"


def shared(facts: ReviewFacts) -> str:
    """Return "€387.63 of shared cost stays unallocated, on its own line"."""
    residue = sum((each.residue for each in facts.pools), ZERO)
    if not facts.pools:
        return "The month has no shared cost"
    if residue == 0:
        return "Shared cost is allocated to the cent"
    if residue < 0:
        more = money(-residue, facts.currency)
        return f"Rounding allocates {more} more than the shared cost, on its own line"
    return f"{money(residue, facts.currency)} of shared cost stays unallocated, on its own line"


# ---- sensitivity


def losing_rules(tenant: TenantMonth) -> list[str]:
    """Return the rules under which the tenant's margin is negative."""
    return [rule for rule, margin in tenant.margin_by_driver.items() if margin < 0]


def _as_rule(rule: str) -> str:
    """Return "by active users" or "in equal shares"."""
    return {"equal": "in equal shares", "fixed": "by fixed shares"}.get(rule, f"by {rule}")


def sensitivity(facts: ReviewFacts) -> str:
    """Return "Globex loses money under every rule; Northgate Mutual only by active users"."""
    always, once = [], []
    for tenant in sorted(facts.tenants, key=lambda each: (each.margin, each.name)):
        losing = losing_rules(tenant)
        if losing and len(losing) == len(tenant.margin_by_driver):
            always.append(tenant.name)
        elif len(losing) == 1:
            once.append((tenant.name, losing[0]))
    parts = []
    if always:
        verb = "loses" if len(always) == 1 else "lose"
        parts.append(f"{names(always)} {verb} money under every rule")
    if once:
        rule = once[0][1]
        some = [name for name, losing_rule in once if losing_rule == rule]
        verb = "" if always else "loses money " if len(some) == 1 else "lose money "
        parts.append(f"{names(some)} {verb}only {_as_rule(rule)}")
    if parts:
        return "; ".join(parts)
    changing = any(losing_rules(each) for each in facts.tenants)
    return (
        "Some tenants lose money under some rules"
        if changing
        else "No tenant loses money under any rule"
    )
