from datetime import UTC, datetime, timedelta

import pytest

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals import queries as requests
from governance.kernel import clock
from governance.operations.maintenance import actions, queries
from governance.operations.maintenance.exclusion_plan import Plan

# The time at which these tests run, 13:00 in Berlin.
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def now():
    with clock.frozen(NOW):
        yield NOW


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def planned(starts_at: datetime, hours: float = 2, **given) -> Plan:
    values = {
        "title": "Database upgrade",
        "category": "maintenance",
        "reason": "The database needs a new version.",
        "ends_at": starts_at + timedelta(hours=hours),
    }
    return Plan(starts_at=starts_at, **values | given)


@pytest.fixture
def announced(acting, database):
    """Announce an exclusion as an officer. Return its id."""

    def announce(starts_at, hours=2, slug="acme", **given):
        with acting("compliance_officer", slug):
            return actions.announce(planned(starts_at, hours, **given)).id

    return announce


@pytest.fixture
def decide(acting):
    """Approve or reject the open request about an exclusion as another person."""

    def act(exclusion_id, *, reject=False, role="reviewer"):
        with acting(role):
            request = queries.open_request(queries.exclusion(exclusion_id))
            if reject:
                approvals.reject(request, reason="Not agreed with the customer.")
            else:
                approvals.approve(request, seen=kinds.fingerprint_seen(request))
            assert requests.approval(request.id)

    return act


@pytest.fixture
def state_of(acting):
    def read(exclusion_id):
        with acting(read_only=True):
            return queries.exclusion(exclusion_id).state

    return read
