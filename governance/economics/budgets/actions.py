"""Create, change and remove budgets, and acknowledge their alerts.

create · change · remove           a budget
acknowledge                        the alerts of a budget, as the operator
acknowledge_notice                 a budget notice, as a member of the customer's tenant
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from governance.economics.budgets import permissions, queries
from governance.economics.budgets.models import CostBudget, CostBudgetNotice
from governance.economics.budgets.queries import BudgetScope
from governance.economics.formulas.money import plain_amount
from governance.economics.rates.queries import reporting_currency
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid, NotFound, Stale
from governance.kernel.safety.access import require
from governance.operations.policies import dimensions

MAX_BUDGETS = 500
MAX_THRESHOLDS = 10
MAX_PERCENT = 1000
FIELDS = "name amount currency actual_thresholds forecast_thresholds tells_tenant proposed_limit"

CREATED = action(
    "cost_budget.created",
    "created a budget",
    target="CostBudget",
    activity="create",
    severity="low",
    fields=f"{FIELDS} proposed_models customer system feature window",
)
CHANGED = action(
    "cost_budget.changed",
    "changed a budget",
    target="CostBudget",
    activity="update",
    severity="low",
    fields=f"{FIELDS} proposed_models",
)
REMOVED = action(
    "cost_budget.removed",
    "removed a budget",
    target="CostBudget",
    activity="delete",
    severity="low",
    fields="name",
)
ACKNOWLEDGED = action(
    "cost_budget.alerts.acknowledged",
    "acknowledged the alerts of a budget",
    target="CostBudget",
    activity="update",
    severity="informational",
    fields="name count",
)
NOTICE_ACKNOWLEDGED = action(
    "cost_budget.notice.acknowledged",
    "acknowledged a budget notice",
    target="CostBudgetNotice",
    activity="update",
    severity="informational",
    fields="name percent",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetTerms:
    """The editable fields of a budget. Thresholds are in percent of the amount."""

    name: str
    amount: Decimal
    actual_thresholds: tuple[int, ...] = (50, 80, 100)
    forecast_thresholds: tuple[int, ...] = (100,)
    tells_tenant: bool = False
    proposed_limit: int | None = None
    proposed_models: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, Any]:
        """The terms as columns of a budget."""
        return {
            "name": self.name.strip(),
            "amount": self.amount,
            "actual_thresholds": sorted(set(self.actual_thresholds)),
            "forecast_thresholds": sorted(set(self.forecast_thresholds)),
            "tells_tenant": self.tells_tenant,
            "proposed_limit": self.proposed_limit,
            "proposed_models": sorted(set(self.proposed_models)),
        }


def create(scope_key: str, window: str, terms: BudgetTerms) -> CostBudget:
    """Create a budget in the reporting currency. Raises Invalid."""
    require(permissions.EDIT)
    check_terms(terms)
    scope = _scope(scope_key)
    if len(queries.budgets()) >= MAX_BUDGETS:
        raise Invalid(f"There are {MAX_BUDGETS} budgets. Remove one first.")
    made = CostBudget(
        customer_id=scope.customer_id,
        system_id=scope.system_id,
        system=scope.system,
        feature=scope.feature,
        window=window,
        starts_on=queries.today(),
        currency=reporting_currency(),
        **terms.values,
    )
    session().add(made)
    session().flush()
    record(
        CREATED,
        made,
        customer=scope.customer,
        system=made.system,
        feature=made.feature,
        window=window,
        currency=made.currency,
        **_logged(terms.values, made.currency),
    )
    return made


def _scope(key: str) -> BudgetScope:
    found = next((each for each in queries.scopes() if each.key == key), None)
    if found is None:
        raise Invalid("Choose a customer, an AI system or a feature.", field="scope")
    return found


def _logged(values: dict[str, Any], currency: str) -> dict[str, Any]:
    return values | {"amount": plain_amount(values["amount"], currency)}


def check_terms(terms: BudgetTerms) -> None:
    """Raise Invalid if the terms aren't valid for a budget."""
    if not terms.name.strip():
        raise Invalid("Enter a name.", field="name")
    if terms.amount <= 0:
        raise Invalid("Enter an amount above zero.", field="amount")
    for field in ("actual_thresholds", "forecast_thresholds"):
        given = getattr(terms, field)
        if len(given) > MAX_THRESHOLDS or any(not 0 < each <= MAX_PERCENT for each in given):
            raise Invalid(
                f"Enter up to {MAX_THRESHOLDS} percentages from 1 to {MAX_PERCENT:,}.", field=field
            )
    if terms.proposed_limit is not None:
        _check_setting("requests_per_minute", terms.proposed_limit, "proposed_limit")
    _check_setting("model_access", list(terms.proposed_models), "proposed_models")


def _check_setting(key: str, value: Any, field: str) -> None:
    try:
        dimensions.read(key, value)
    except Invalid as wrong:
        raise Invalid(wrong.message, field=field) from wrong


def change(row: CostBudget, terms: BudgetTerms, *, seen: str | None = None) -> None:
    """Change a budget. Alerts of the current period are kept. Raises Invalid and Stale."""
    require(permissions.EDIT)
    check_terms(terms)
    session().refresh(row, with_for_update=True)
    _check_present(row)
    after = terms.values
    before = {name: getattr(row, name) for name in after}
    if seen is not None and seen != row.mark:
        raise Stale(
            "Someone else changed this budget while you were editing. Review the differences, then"
            " save again.",
            {name: (after[name], now) for name, now in before.items() if after[name] != now},
        )
    if before == after:
        return
    for name, value in after.items():
        setattr(row, name, value)
    record(CHANGED, row, before=_logged(before, row.currency), after=_logged(after, row.currency))


def _check_present(row: CostBudget) -> None:
    if row.removed_at is not None:
        raise NotFound("This budget was removed.")


def remove(row: CostBudget) -> None:
    """Remove a budget and acknowledge its alerts; its row is kept. Idempotent."""
    require(permissions.EDIT)
    session().refresh(row, with_for_update=True)
    if row.removed_at is None:
        row.removed_at = clock.now()
        for alert in queries.alerts(row.id):
            alert.acknowledged_at = alert.acknowledged_at or row.removed_at
        record(REMOVED, row, name=row.name)


def acknowledge(row: CostBudget) -> int:
    """Acknowledge the open alerts of a budget; return how many."""
    require(permissions.EDIT)
    open_alerts = [each for each in queries.alerts(row.id) if each.acknowledged_at is None]
    for each in open_alerts:
        each.acknowledged_at, each.acknowledged_by = clock.now(), current.actor().person_id
    if open_alerts:
        record(ACKNOWLEDGED, row, name=row.name, count=len(open_alerts))
    return len(open_alerts)


def acknowledge_notice(row: CostBudgetNotice) -> None:
    """Acknowledge a notice of this tenant. Idempotent."""
    require(permissions.NOTICES)
    if row.acknowledged_at is None:
        row.acknowledged_at, row.acknowledged_by = clock.now(), current.actor().person_id
        record(NOTICE_ACKNOWLEDGED, row, name=row.name, percent=row.percent)
