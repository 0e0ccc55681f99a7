"""Begins, ends and reports drills, in the jobs process.

run_due_drills()     everything that is due over all tenants, until no drill is under way
turn()               one round over the tenants that have something due
"""

import time
from collections.abc import Callable
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.kernel import clock, current
from governance.kernel.db import session, transaction
from governance.kernel.errors import DomainError
from governance.operations.switches import consumer_actions, drill_actions, queries

EVERY = 0.2  # seconds between rounds while a drill is under way
ROUNDS = 600  # two minutes: twice what the longest drill takes
log = structlog.get_logger("switches")


def run_due_drills(wait: Callable[[float], None] = time.sleep) -> None:
    """Each drill once, by the state of its locked row.

    Killed at any point, the next call goes on: a drill past its time is ended, and its stop lifted.
    """
    for _ in range(ROUNDS):
        if not turn():
            return
        wait(EVERY)


def turn() -> bool:
    """One round; True while a drill is under way.

    What is wrong with one tenant does not keep the others waiting.
    """
    now = clock.now()
    with transaction(read_only=True):
        found = queries.due(now, now - drill_actions.REPORT_WITHIN)
    under_way = [_turn_of(tenant_id) for tenant_id in found]
    return any(under_way)


def _turn_of(tenant_id: UUID) -> bool:
    try:
        with transaction(read_only=True):
            tenant = directory.tenant_by_id(tenant_id)
            who = tenants.founder(tenant_id, tenant.slug, tenant.name) if tenant else None
        if who is None:
            return False
        with current.acting_as(who):
            with transaction():
                now = clock.now()
                under_way = [
                    drill_actions.begin_or_end(drill)
                    for drill in queries.due_here(now, now - drill_actions.REPORT_WITHIN)
                ]
            _report()
    except Exception:
        log.exception("drills faltered", tenant=str(tenant_id))
        return False
    return any(under_way)


def _report() -> None:
    """In a transaction of its own: a store that is away must not keep anything stopped."""
    try:
        with transaction():
            now = clock.now()
            for drill in queries.due_here(now, now - drill_actions.REPORT_WITHIN):
                with session().begin_nested():
                    drill_actions.report(drill)
    except (DomainError, DBAPIError, OSError) as away:
        log.warning("drill not reported yet", reason=str(away))


def forget_consumers() -> None:
    """Nightly: forget products that have been silent for long, and that no stop names."""
    once_a_day_in_each("forget quiet consumers", consumer_actions.forget_consumers)
