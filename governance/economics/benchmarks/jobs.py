"""Each night: once last month's usage is complete, release its benchmarks and copy them."""

from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from governance.economics.benchmarks import actions
from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import clock
from governance.kernel.db import transaction
from governance.kernel.months import Month

SETTLED = timedelta(days=3)  # after a month, for events that come late


def release_benchmarks() -> None:
    """Release in the operator's tenant, then copy to every active customer's."""
    with transaction(read_only=True):
        zone = ZoneInfo(operator_time_zone())
    month = Month.of((clock.now() - SETTLED).astimezone(zone).date()).plus(-1)
    in_each(partial(_release, month), "benchmarks failed", wanted=_is_operator)


def _is_operator(tenant: Tenant) -> bool:
    return tenant.kind == "operator"


def _is_customer(tenant: Tenant) -> bool:
    return tenant.kind == "customer" and is_active(tenant)


def _release(month: Month) -> None:
    with transaction():
        rows = [actions.values(each) for each in actions.release(month)]
    in_each(partial(_copy, rows, month), "copy of benchmarks failed", wanted=_is_customer)


def _copy(rows: list[dict[str, object]], month: Month) -> None:
    with transaction():
        actions.copy(rows, month)
