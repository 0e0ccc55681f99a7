"""Retention of usage events: old ones are deleted once every tenant's days provably match."""

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from governance.economics.usage import jobs, rebuild_actions, retention
from governance.economics.usage.event_stores import store
from governance.economics.usage.models import DAYS
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.months import Month
from tests import make
from tests.economics.usage.usage_helpers import (
    EACH_STORE,
    NOW,
    Product,
    at,
    days,
    event,
    register,
    stored,
)

pytestmark = EACH_STORE

SENT = datetime(2025, 7, 10, 12, tzinfo=UTC)  # Events of then are past retention at NOW.
JULY, AUGUST, SEPTEMBER = Month(2025, 7), Month(2025, 8), Month(2025, 9)


@pytest.fixture
def sent(app, isolated):
    """Send usage of two tenants in July, during the night to August in Berlin, and in September."""
    with clock.frozen(SENT + timedelta(days=70)):
        for slug in ("acme", "globex"):
            register(slug=slug)
            product = Product(app, slug=slug)
            instants = ("2025-07-10T12:00:00Z", "2025-07-31T22:30:00Z", "2025-09-01T12:00:00Z")
            product.send([event(n, at=instant) for n, instant in enumerate(instants)])
    with clock.frozen(NOW):
        yield


def existing():
    with make.acting("admin"):
        return {JULY, AUGUST, SEPTEMBER} & set(store().months())


def test_months_past_retention_are_dropped_and_their_days_stay(sent):
    before = days(), days("globex")
    jobs.drop_old_events()
    assert existing() == {SEPTEMBER}
    assert [row.event_id for row in stored()] == ["req-2"] and (days(), days("globex")) == before
    with make.acting("admin"):
        result = rebuild_actions.rebuild(JULY)
        assert (result.differences, result.dropped) == ([], 31)
    assert days() == before[0]
    jobs.drop_old_events()


def test_a_month_that_one_tenant_cannot_prove_stays_for_all_and_is_named(
    sent, as_admin, as_neighbour
):
    with make.acting("admin", "globex"):
        session().execute(DAYS.update().where(DAYS.c.day == SENT.date()).values(requests=9))
    before = existing()
    with capture_logs() as logs:
        jobs.drop_old_events()
    assert existing() == before >= {JULY, SEPTEMBER}
    [named] = [each for each in logs if each["event"] == "usage days differ from their events"]
    assert (named["tenant"], named["month"]) == ("globex", "2025-07")
    assert "counted 9 requests" in named["first"][0]
    page = "economics/?month=2025-07"
    warning = "The counts of this month differ from its events."
    assert warning in as_neighbour.get(page).text and warning not in as_admin.get(page).text
    with make.acting("admin", "globex"):
        assert len(rebuild_actions.rebuild(JULY).differences) == 1
        assert retention.differing_rows(JULY) == 0
    jobs.drop_old_events()
    assert existing() == {SEPTEMBER}


def test_a_month_that_a_late_event_can_reach_stays(app, isolated):
    register()
    with clock.frozen(NOW):
        Product(app).send([event(1, at=at(NOW - timedelta(days=400)))])
        jobs.drop_old_events()
        assert [row.event_id for row in stored()] == ["req-1"]
