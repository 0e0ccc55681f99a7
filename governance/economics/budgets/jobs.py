"""The hourly job that checks budgets."""

from governance.economics.budgets import alert_actions
from governance.foundation.tenants.for_each_tenant import in_each
from governance.foundation.tenants.models import Tenant
from governance.kernel.data.db import transaction


def check_budgets() -> None:
    """Create alerts for the thresholds reached, then notify the customers concerned."""
    in_each(_check, "budgets not checked", wanted=_is_operator)


def _is_operator(tenant: Tenant) -> bool:
    return tenant.kind == "operator" and tenant.status == "active"


def _check() -> None:
    with transaction():
        alert_actions.evaluate()
    alert_actions.tell_customers()
