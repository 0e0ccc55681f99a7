"""Jobs that evaluate all tenants' alerts every minute, and their error budgets every hour."""

from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel.data.db import transaction
from governance.operations.alerts import budgets, evaluation


def evaluate() -> None:
    """Evaluate every active tenant. A failure in one doesn't delay the others."""
    in_each(_evaluate, "alerts not evaluated", wanted=is_active)


def _evaluate() -> None:
    with transaction():
        evaluation.evaluate()


def check_budgets() -> None:
    """Check every error budget, including those that nothing burns now."""
    in_each(_check_budgets, "error budgets not checked", wanted=is_active)


def _check_budgets() -> None:
    with transaction():
        budgets.check_all()
