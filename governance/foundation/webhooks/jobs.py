"""Send queued messages, in the jobs process; delete old deliveries every night.

send_due()     everything that is ready, several endpoints at a time
send_next()    one delivery: claim it, send it outside of any transaction, record the answer
"""

from concurrent.futures import ThreadPoolExecutor

import structlog

from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.foundation.tenants.system_actor import system_actor_in
from governance.foundation.webhooks import delivery, delivery_actions
from governance.foundation.webhooks.delivery_actions import Claim
from governance.kernel import current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction

SIDE_BY_SIDE = 4  # Endpoints. Messages to a slow receiver don't delay the others.
MAX_IN_A_ROW = 500  # Deliveries of one thread, so that the schedule goes on.
log = structlog.get_logger("webhooks")


def send_due(*, side_by_side: int = SIDE_BY_SIDE) -> None:
    """Send everything that is ready, in all tenants.

    The queue is in its rows: the next call replaces a killed process, once the lease of its tickets
    has ended.
    """
    if side_by_side == 1:
        _drain()
        return
    with ThreadPoolExecutor(side_by_side, thread_name_prefix="webhooks") as pool:
        for _ in range(side_by_side):
            pool.submit(_drain)


def _drain() -> int:
    for count in range(MAX_IN_A_ROW):
        try:
            if not send_next():
                return count
        except Exception:  # Its lease ends by itself; an error of one must not stop others.
            log.exception("webhook not sent")
            return count
    return MAX_IN_A_ROW


def send_next() -> bool:
    """Send one delivery that is ready; False when there is none."""
    with transaction():
        held = delivery_actions.claim()
    if held is None:
        return False
    who = _actor(held)
    if who is None:
        with transaction():
            delivery_actions.drop_ticket(held)
        return True
    with current.acting_as(who):
        _deliver(held)
    return True


def _actor(held: Claim) -> Actor | None:
    with transaction(read_only=True):
        tenant = directory.tenant_by_id(held.tenant_id)
        return system_actor_in(tenant.id, tenant.slug, tenant.name) if tenant else None


def _deliver(held: Claim) -> None:
    with transaction(read_only=True):
        message = delivery_actions.prepare(held)
    if message is None:
        with transaction():
            delivery_actions.drop_ticket(held)
        return
    outcome = delivery.post(message)
    with transaction():
        delivery_actions.record_attempt(held, outcome)


def forget_old() -> None:
    """Delete, every night, deliveries that are over and old."""
    once_a_day_in_each("forget old webhook deliveries", delivery_actions.forget_old)
