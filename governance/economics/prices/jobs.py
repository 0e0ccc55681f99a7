"""A job, each minute, that prices changed usage and rows whose model got a price."""

from datetime import datetime

import structlog

from governance.economics.prices import usage_costs
from governance.economics.usage import queries as usage
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import living_tenants
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction

log = structlog.get_logger("schedule")


def collect_usage_costs() -> None:
    """Read the changed days of every customer in its tenant, and write them in the operator's.

    Each customer has a transaction of its own. A process that is killed has written both a
    customer's changes and how far they were read, or neither. The next run completes them.
    """
    with transaction(read_only=True):
        tenants = list(living_tenants())
        operators = [_actor(each) for each in tenants if each.kind == "operator"]
        customers = [_actor(each) for each in tenants if each.kind == "customer"]
    for operator in operators:
        with current.acting_as(operator):
            with transaction(read_only=True):
                until = usage_costs.collected_until()
            for customer in customers:
                try:
                    collect(operator, customer, until.get(customer.tenant_id))
                except Exception:  # The next run may succeed; the other customers continue now.
                    log.exception("usage costs failed", tenant=customer.tenant_slug)
            with transaction():
                usage_costs.price_unpriced()


def collect(operator: Actor, customer: Actor, since: datetime | None) -> int:
    """Write the changes of a customer's usage after an instant. Return the number of rows."""
    with current.acting_as(customer), transaction(read_only=True):
        rows = usage.changed_days(since)
    if not rows:
        return 0
    with current.acting_as(operator), transaction():
        return usage_costs.store(customer.tenant_id, rows, since)


def _actor(tenant: Tenant) -> Actor:
    return system_actor_in(tenant.id, tenant.slug, tenant.name)
