"""Rules approved while a month closes: the second of the two sees the first.

They commit on their own connections. What one test commits remains for the other, so each
uses the first month after all that exist.
"""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from governance.economics.allocation import actions as allocation
from governance.economics.allocation import queries as rules
from governance.economics.formulas.allocation import Driver
from governance.economics.reviews import queries
from governance.economics.reviews.closing import actions as close_actions
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
    """Return a function that proposes rules of that month and returns the id of the request."""

    def proposed(driver: Driver, month: Month):
        with clock.frozen(NOW), make.acting("operator_finance", "console"):
            number = rules.newest_number()
            open_one = rules.open_request()
            if open_one is not None:  # A request of the other test.
                approvals.withdraw(open_approval(rules.KIND, open_one.id))
            return allocation.propose(all_by(driver), since=month, base=number, reason="Now.").id

    return proposed


def free_month() -> Month:
    """Return the month after every close and every version of the rules, or August 2026."""
    with make.acting("operator_finance", "console"):
        known = [each.its_month for each in queries.reviewed_months()]
        since = rules.newest_rules().since
    return max([*known, *([since] if since else []), Month(2026, 7)]).plus(1)


def approve(request) -> None:
    approval = open_approval(rules.KIND, request)
    approvals.approve(approval, seen=kinds.fingerprint_seen(approval))


def start_waiting(engine, act: Callable[[], None]) -> threading.Thread:
    """Start another person's transaction, and return once it waits for the current one."""

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
    month = free_month()
    request, refused = propose(Driver.TOKENS, month), []
    with make.acting("operator_admin", "console"):
        before = rules.rules_in_force(month).number

    def approve_beside():
        with make.acting("operator_admin", "console"), pytest.raises(Blocked) as caught:
            approve(request)
        refused.append(str(caught.value))

    with clock.frozen(NOW), make.acting("operator_finance", "console"):
        close_actions.start_close(month)
        other = start_waiting(committed_world, approve_beside)
    other.join(MAX_WAIT_SECONDS)
    [why] = refused
    later = month.plus(1).long_name
    assert why.startswith(f"{month.long_name} is being closed. Choose {later} or a later month,")
    with make.acting("operator_admin", "console"):
        assert rules.rules_in_force(month).number == before


def test_a_close_waits_for_rules_and_then_has_them(committed_world, propose):
    month = free_month()
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
