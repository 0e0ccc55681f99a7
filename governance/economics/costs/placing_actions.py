"""Change the placement of charges: ordered pool rules, and the meaning of names on invoices.

Rules apply to files that are imported later; stored bills keep their pools. Names apply
immediately, to every month that isn't closed.
"""

from typing import Any

from sqlalchemy import select

from governance.economics.costs import queries
from governance.economics.costs.focus_lines import POOLS
from governance.economics.costs.models import CostPoolRule, InvoiceModelName
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid

RULE_ADDED = action(
    "cost_pool_rule.added",
    "added a rule that places charges in a pool",
    target="CostPoolRule",
    activity="create",
    severity="medium",
    fields="position provider service resource pool",
)
RULE_REMOVED = action(
    "cost_pool_rule.removed",
    "removed a rule that places charges in a pool",
    target="CostPoolRule",
    activity="delete",
    severity="medium",
    fields="position provider service resource pool",
)
NAME_MATCHED = action(
    "invoice_model_name.matched",
    "matched a name on invoices to a model",
    target="InvoiceModelName",
    activity="create",
    severity="medium",
    fields="invoice_provider invoice_model provider model",
)
NAME_REMOVED = action(
    "invoice_model_name.removed",
    "removed a match of a name on invoices",
    target="InvoiceModelName",
    activity="delete",
    severity="medium",
    fields="invoice_provider invoice_model provider model",
)
MAX_RULES = 100
MAX_PATTERN_LENGTH = 200
ANY = "*"
LOCK = "cost placing"


def add_rule(
    position: int | None, *, provider: str, service: str, resource: str, pool: str
) -> CostPoolRule:
    """Insert a rule at a position, by default the last. Later rules move down. Raises Invalid."""
    lock_tenant(LOCK)
    patterns = {"provider": provider, "service": service, "resource": resource}
    for name, pattern in patterns.items():
        if not 0 < len(pattern) <= MAX_PATTERN_LENGTH:
            raise Invalid(
                f"Enter a pattern of up to {MAX_PATTERN_LENGTH} characters, or {ANY}.", field=name
            )
    if set(patterns.values()) == {ANY}:
        raise Invalid("Name a provider, a service or a resource.", field="service")
    if pool not in POOLS:
        raise Invalid("Choose a pool.", field="pool")
    rules = queries.pool_rules()
    if len(rules) >= MAX_RULES:
        raise Invalid(f"There are {MAX_RULES} rules, which is the maximum. Remove one first.")
    place = min(position or len(rules) + 1, len(rules) + 1)
    if place < 1:
        raise Invalid("Enter a position from 1.", field="position")
    for rule in rules:
        if rule.position >= place:
            rule.position += 1
    made = CostPoolRule(position=place, pool=pool, **patterns)
    session().add(made)
    session().flush()
    record(RULE_ADDED, made, **_rule_described(made))
    return made


def remove_rule(rule: CostPoolRule) -> None:
    """Remove a rule; later rules move up."""
    lock_tenant(LOCK)
    record(RULE_REMOVED, rule, **_rule_described(rule))
    session().delete(rule)
    for position, later in enumerate((r for r in queries.pool_rules() if r is not rule), 1):
        later.position = position


def _rule_described(rule: CostPoolRule) -> dict[str, Any]:
    return {
        "position": rule.position,
        "provider": rule.provider,
        "service": rule.service,
        "resource": rule.resource,
        "pool": rule.pool,
    }


def match_name(
    invoice_provider: str, invoice_model: str, *, provider: str, model: str
) -> InvoiceModelName:
    """Map a name on invoices to a model in usage. Replaces an earlier match.

    Without `invoice_model` it maps the provider's name, and models keep theirs. Raises Invalid.
    """
    lock_tenant(LOCK)
    required = {"invoice_provider": invoice_provider, "usage_provider": provider}
    for name, value in {**required, "invoice_model": invoice_model, "usage_model": model}.items():
        if len(value) > MAX_PATTERN_LENGTH or (name in required and not value):
            raise Invalid(f"Enter a name of up to {MAX_PATTERN_LENGTH} characters.", field=name)
    if bool(invoice_model) != bool(model):
        field = "usage_model" if invoice_model else "invoice_model"
        raise Invalid("Enter the model's name on both sides, or on neither.", field=field)
    earlier = session().scalar(
        select(InvoiceModelName).where(
            InvoiceModelName.invoice_provider == invoice_provider,
            InvoiceModelName.invoice_model == invoice_model,
        )
    )
    if earlier is not None:
        if (earlier.provider, earlier.model) == (provider, model):
            return earlier
        remove_name(earlier)
        session().flush()
    made = InvoiceModelName(
        invoice_provider=invoice_provider,
        invoice_model=invoice_model,
        provider=provider,
        model=model,
    )
    session().add(made)
    session().flush()
    record(NAME_MATCHED, made, **_name_described(made))
    return made


def remove_name(row: InvoiceModelName) -> None:
    """Remove a match. The name is unmatched again."""
    record(NAME_REMOVED, row, **_name_described(row))
    session().delete(row)


def _name_described(row: InvoiceModelName) -> dict[str, Any]:
    return {
        "invoice_provider": row.invoice_provider,
        "invoice_model": row.invoice_model,
        "provider": row.provider,
        "model": row.model,
    }
