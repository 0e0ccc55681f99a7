"""`governance usage rebuild`, which recounts days from their events and reports differences."""

from datetime import timedelta

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from governance.app import cli
from governance.economics.usage import queries, rebuild_actions
from governance.economics.usage.models import DAYS, PEOPLE
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.months import Month
from tests import make
from tests.economics.usage.usage_helpers import (
    EACH_STORE,
    EVENTS_OF_DAYS,
    NOW,
    Product,
    at,
    days,
    event,
    register,
)
from tests.hypothesis_profiles import examples

pytestmark = EACH_STORE


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def run():
    def invoke(*arguments):
        return CliRunner().invoke(cli.main, ["usage", "rebuild", *arguments], obj=cli.CONNECTED)

    return invoke


def counts():
    return [tuple(row)[:-1] for row in days()]  # Without changed_at.


def test_what_differs_is_corrected_named_and_recorded(app, product, run):
    register(slug="globex")
    Product(app, slug="globex").send([event(1)])
    product.send([event(1), event(2), event(3, at=at(NOW - timedelta(days=40)), user="u-1")])
    before, others = counts(), days("globex")
    with make.acting("admin"):
        seen = queries.changed_days(None)[-1].changed_at
        session().execute(DAYS.update().where(DAYS.c.day == NOW.date()).values(requests=7))
        session().execute(delete(PEOPLE))
    found = run("acme", "--month", "2026-11")
    assert found.exit_code == 1 and found.output == (
        "2026-11-25 claims-triage claude-sonnet-4-5 success: counted 7 requests and 300 tokens, its"
        " events have 2 and 300\nacme: 30 days counted, 1 rows corrected\n"
    )
    assert counts() == before and days("globex") == others
    assert run("acme").output.endswith("0 rows corrected\n") and run("globex").exit_code == 0
    with make.acting("admin"):
        assert [row.day for row in queries.changed_days(seen)] == [NOW.date()]
        assert [row.person for row in session().execute(select(PEOPLE))] == ["u-1"]
        query = select(AuditEntry).where(AuditEntry.action == rebuild_actions.REBUILT.name)
        assert [entry.facts["rows"] for entry in session().scalars(query)] == [1]


def test_a_row_without_events_stays_with_none_and_is_found_as_changed(product):
    product.send([event(1)])
    with make.acting("admin"):
        seen = queries.changed_days(None)[-1].changed_at
        session().execute(DAYS.update().values(model="another"))
        result = rebuild_actions.rebuild()
        assert [(each.model, each.event_requests) for each in result.differences] == [
            ("another", 0),
            ("claude-sonnet-4-5", 1),
        ]
        assert [row.requests for row in queries.changed_days(seen)] == [0, 1]
        assert rebuild_actions.rebuild().differences == []


def test_a_month_whose_events_are_dropped_stays_as_it_was_counted(product, run):
    product.send([event(1)])
    with make.acting("admin"):
        session().execute(DAYS.update().values(day=NOW.date() - timedelta(days=700)))
        result = rebuild_actions.rebuild(Month(2024, 12))
        assert (result.differences, result.counted, result.dropped) == ([], 0, 31)
    found = run("acme", "--month", "2024-12")
    assert found.output == (
        "acme: 0 days counted, 0 rows corrected; 31 days stay, since their events are dropped\n"
    )
    assert [row.requests for row in days()] == [1]
    assert run("acme", "--month", "soon").exit_code == 2


@settings(
    max_examples=examples(15),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(batches=st.lists(st.lists(EVENTS_OF_DAYS, min_size=1, max_size=12), max_size=4))
def test_nothing_differs_after_any_sequence_of_writes(product, batches):
    for batch in batches:
        product.send(batch)
    with make.acting("admin"):
        assert rebuild_actions.rebuild().differences == []
