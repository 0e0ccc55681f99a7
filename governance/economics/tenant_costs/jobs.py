"""Copy list prices to tenants: the current months each minute, all of them each night."""

from collections.abc import Mapping, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from governance.economics.tenant_costs import actions, price_copies, queries
from governance.economics.tenant_costs.price_copies import Copies
from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.kernel.months import Month
from governance.kernel.work.jobs import Progress, WorkItem, work

MONTHS = 13  # months whose copies follow the price book; earlier ones are unchanged
PRESENT = 2  # months: the current one and the one before

log = structlog.get_logger("tenant costs")


def copy_present_prices() -> None:
    """Copy the prices of the current months, since a model may be used for the first time."""
    _copy(PRESENT)


def copy_prices() -> None:
    """Copy all prices, since the price book and rates may have changed."""
    _copy(MONTHS)


@work(actions.WORK, waited_for=False)
def copy_after_decision(_item: WorkItem, _progress: Progress) -> None:
    """Copy the prices as soon as the operator decides to show or hide them."""
    _copy(MONTHS)


def _copy(count: int) -> None:
    def here() -> None:
        with transaction(read_only=True):
            present = Month.of(clock.now().astimezone(ZoneInfo(operator_time_zone())).date())
            months = [present.plus(-back) for back in range(count)]
            found = price_copies.prices_of(months) if queries.is_shared() else None
        in_each(lambda: _write(months, found), "list prices not copied", wanted=_is_customer)

    in_each(here, "list prices not read", wanted=_is_operator)


def _write(months: Sequence[Month], found: Mapping[UUID, Copies] | None) -> None:
    with transaction():
        if found is None:
            price_copies.remove()
        else:
            price_copies.replace(months, found.get(current.actor().tenant_id, ()))


def _is_operator(tenant: Tenant) -> bool:
    return tenant.kind == "operator" and is_active(tenant)


def _is_customer(tenant: Tenant) -> bool:
    return tenant.kind == "customer" and is_active(tenant)
