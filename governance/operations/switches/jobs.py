"""Start, end and report drills, in the jobs process.

run_due_drills()     runs everything due in all tenants, until no drill is running
run_once()           runs one round over the tenants with something due
"""

import time
from collections.abc import Callable
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError
from governance.operations.switches import consumer_actions, drill_actions, queries

SECONDS_BETWEEN_ROUNDS = 0.2
MAX_ROUNDS = 600  # Two minutes, twice the longest drill
log = structlog.get_logger("switches")


def run_due_drills(wait: Callable[[float], None] = time.sleep) -> None:
    """Run every due drill. The state is in its row, so the next call continues after a crash."""
    for _ in range(MAX_ROUNDS):
        if not run_once():
            return
        wait(SECONDS_BETWEEN_ROUNDS)


def run_once() -> bool:
    """Run one round. Return True if a drill is running.

    A failure in one tenant doesn't block the others.
    """
    now = clock.now()
    with transaction(read_only=True):
        found = queries.due(now, now - drill_actions.REPORT_WITHIN)
    running = [_run_tenant(tenant_id) for tenant_id in found]
    return any(running)


def _run_tenant(tenant_id: UUID) -> bool:
    try:
        with transaction(read_only=True):
            tenant = directory.tenant_by_id(tenant_id)
            who = system_actor_in(tenant_id, tenant.slug, tenant.name) if tenant else None
        if who is None:
            return False
        with current.acting_as(who):
            with transaction():
                now = clock.now()
                running = [
                    drill_actions.begin_or_end(drill)
                    for drill in queries.due_here(now, now - drill_actions.REPORT_WITHIN)
                ]
            _report()
    except Exception:
        log.exception("drills failed", tenant=str(tenant_id))
        return False
    return any(running)


def _report() -> None:
    """Report in a separate transaction, so that an unavailable store keeps nothing stopped."""
    try:
        with transaction():
            now = clock.now()
            for drill in queries.due_here(now, now - drill_actions.REPORT_WITHIN):
                with session().begin_nested():
                    drill_actions.report(drill)
    except (DomainError, DBAPIError, OSError) as error:
        log.warning("drill not reported yet", reason=str(error))


def forget_consumers() -> None:
    """Delete, every night, long silent consumers that no stop refers to."""
    once_a_day_in_each("forget quiet consumers", consumer_actions.forget_consumers)
