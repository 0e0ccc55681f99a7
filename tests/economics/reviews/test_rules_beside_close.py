"""Rules that are approved in the instant a month closes: of the two, the second sees the first.

Committed, on connections of their own. Each order has a month of its own, since what one test
commits stays there for the other one.
"""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from governance.economics.allocation import actions as allocation
from governance.economics.allocation import queries as rules
from governance.economics.formulas.allocation import Driver
from governance.economics.reviews import close_actions, queries
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.actions import Blocked
from governance.foundation.approvals.queries import open_approval
from governance.kernel import clock
from governance.kernel.months import Month
from tests import make
from tests.economics.allocation.allocation_helpers import NOW, all_by
from tests.waiting import MAX_WAIT_SECONDS, wait_until

WAITING = text("""SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())""")


@pytest.fixture
def propose(committed_world):
    """Propose rules of that month; returns the id of the request."""

    def proposed(driver: Driver, month: Month):
        with clock.frozen(NOW), make.acting("operator_finance", "console"):
            number = rules.newest_number()
            open_one = rules.open_request()
            if open_one is not None:  # of the other test
                approvals.withdraw(open_approval(rules.KIND, open_one.id))
            return allocation.propose(all_by(driver), since=month, base=number, reason="Now.").id

    return proposed


def approve(request) -> None:
    approval = open_approval(rules.KIND, request)
    approvals.approve(approval, seen=kinds.fingerprint_seen(approval))


def start_waiting(engine, act: Callable[[], None]) -> threading.Thread:
    """Another person's transaction, once it waits for the present one."""

    def work():
        with clock.frozen(NOW):
            act()

    thread = threading.Thread(target=work)
    thread.start()

    def waits():
        with engine.connect() as connection:
            return connection.scalar(WAITING)

    wait_until(waits)
    return thread


def test_rules_wait_for_a_close_and_then_cannot_begin_in_its_month(committed_world, propose):
    month = Month(2026, 8)
    request, refused = propose(Driver.TOKENS, month), []

    def approve_beside():
        with make.acting("operator_admin", "console"), pytest.raises(Blocked) as caught:
            approve(request)
        refused.append(str(caught.value))

    with clock.frozen(NOW), make.acting("operator_finance", "console"):
        close_actions.start_close(month)
        other = start_waiting(committed_world, approve_beside)
    other.join(MAX_WAIT_SECONDS)
    [why] = refused
    assert why.startswith("August 2026 is being closed. Choose September 2026 or a later month,")
    with make.acting("operator_admin", "console"):
        assert rules.rules_in_force(month).number == 0


def test_a_close_waits_for_rules_and_then_has_them(committed_world, propose):
    month = Month(2026, 9)
    request, seen = propose(Driver.EQUAL, month), []

    def close_beside():
        with make.acting("operator_finance", "console"):
            close_actions.start_close(month)
            seen.append(rules.rules_in_force(month).rules)

    with clock.frozen(NOW), make.acting("operator_admin", "console"):
        approve(request)
        other = start_waiting(committed_world, close_beside)
    other.join(MAX_WAIT_SECONDS)
    assert seen == [all_by(Driver.EQUAL)]
    with make.acting("operator_admin", "console"):
        assert not queries.review_of(month).is_closed
