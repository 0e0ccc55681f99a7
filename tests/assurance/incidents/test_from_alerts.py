"""Incidents from alerts, the deadlines of agreements, and queries for objectives and alerts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from governance.assurance.incidents import (
    clock_actions,
    coming_up,
    deadlines,
    from_alert,
    queries,
    reminders,
)
from governance.kernel import clock
from governance.kernel.data.db import session, transaction
from governance.kernel.intervals import Span
from governance.operations.agreements.drafts import SupportContent
from governance.operations.alerts import queries as alerts
from tests import make
from tests.assurance.incidents import incident_helpers as incidents
from tests.conftest import visitor
from tests.operations.agreements import agreement_helpers as agreements
from tests.operations.alerts.alert_helpers import (
    NOW,
    evaluate,
    failing,
    fill,
    last,
    watched_objective,
)
from tests.operations.objectives.objective_helpers import define

WEDNESDAY = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)  # 11:00 in Berlin.


@pytest.fixture
def alert(database):
    """Return a firing alert."""
    with clock.frozen(NOW + timedelta(seconds=20)), make.acting("admin"), transaction():
        objective = watched_objective()
        fill(objective.indicator_id, last(180), bad=failing(2))
        evaluate()
        found = alerts.open_alerts()[0]
        session().expunge(found)
        return found


def test_declaring_from_an_alert_acknowledges_and_links_it_and_a_double_click_makes_one(app, alert):
    with clock.frozen(NOW + timedelta(minutes=5)):
        client = visitor(app, "reviewer")
        page = client.get(f"incidents/new?alert={alert.id}").text
        assert f"From alert {alert.ref}" in page
        path = f"incidents/new?alert={alert.id}"
        first = client.post(path, title="Approvals fail", severity="2")
        second = client.post(path, title="Approvals fail", severity="2")
        assert first.headers["Location"] == second.headers["Location"]
        with make.acting("admin"):
            found = alerts.alert(alert.id)
            made = queries.incident_of_alert(alert.id)
            assert (found.state, found.incident_ref) == ("acknowledged", "INC-1")
            assert made.detected_at == found.fired_at
            (window,) = queries.impacts_of([made.id])[made.id]
            system = from_alert.system_of(found)
            assert window.impact.system_id == system
            spans = coming_up.declared_incidents(
                system, Span(NOW - timedelta(days=1), NOW + timedelta(days=1))
            )
            assert [(each.ref, each.end) for each in spans] == [("INC-1", None)]
        client.get(f"incidents/new?alert={alert.id}", then=303)
        assert "Open INC-1" in client.get(f"reliability/alerts/{alert.id}").text


def test_another_tenants_alert_is_not_declared(app, alert):
    client = visitor(app, "admin", "globex")
    client.get(f"incidents/new?alert={alert.id}", then=404)
    client.post(f"incidents/new?alert={alert.id}", then=404, title="Mine", severity="2")


def promised(clock_: str = "24x7", response: int = 60, resolution: int = 480) -> None:
    """Create an agreement in force with support times for severity 2."""
    with make.acting("admin"):
        indicator = define("triage-availability")
    agreements.in_force(
        indicator,
        support=(
            SupportContent(
                severity=2,
                response_minutes=response,
                resolution_minutes=resolution,
                clock=clock_,
                target=Decimal("0.95"),
                bands=[["0.95", "0.1"]],
                fee_part=520_000,
            ),
        ),
    )


def test_support_clocks_follow_the_agreement_in_force(database, acting):
    promised()
    found = incidents.declare(at=WEDNESDAY)
    with clock.frozen(WEDNESDAY + timedelta(minutes=22)), acting("reviewer"):
        each = queries.incident(found)
        clock_actions.record_response(each)
        response, resolution = deadlines.clocks_of(each)[:2]
        assert response.state == "met"
        assert "AGR-1, SEV2" in resolution.note
        assert resolution.due_at == WEDNESDAY + timedelta(hours=8)
        month = Span(WEDNESDAY - timedelta(days=20), WEDNESDAY + timedelta(days=5))
        assert queries.support_results(month) == {2: (1, 1)}
    with clock.frozen(WEDNESDAY + timedelta(hours=9)), acting("reviewer"):
        # It continues past its deadline: an incident without an end is late.
        assert queries.support_results(month) == {2: (1, 0)}
        assert reminders.remind() >= 1


def test_a_pause_moves_the_resolution_and_business_hours_skip_the_night(database, acting):
    promised("business_hours", response=60, resolution=120)
    monday = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 16:00 in Berlin, an hour before the end.
    found = incidents.declare(at=monday)
    with clock.frozen(monday + timedelta(minutes=10)), acting("reviewer"):
        each = queries.incident(found)
        response, resolution = deadlines.clocks_of(each)[:2]
        assert response.due_at == monday + timedelta(hours=1)
        # Business hours are on Mondays only, so the second hour is a week later.
        assert resolution.due_at == datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
        clock_actions.pause(each, reason="The customer tests")
        assert deadlines.clocks_of(each)[1].state == "paused"
    with clock.frozen(monday + timedelta(minutes=40)), acting("reviewer"):
        each = queries.incident(found)
        clock_actions.resume(each)
        moved = deadlines.clocks_of(each)[1]
        assert moved.due_at == datetime(2026, 11, 30, 9, 30, tzinfo=UTC)


def test_deadlines_come_up_beside_the_objectives(app, database, acting):
    incidents.declare()
    client = visitor(app, "reviewer")
    with acting("admin"):
        assert len(queries.open_incidents()) == 1
    assert "INC-1" in client.get("reliability/").text
