"""The evaluation of every minute: one pass, exact counts, each alert once, none from gaps."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from governance.kernel import clock
from governance.kernel.data.db import session, transaction
from governance.kernel.intervals import MINUTE, Span
from governance.operations.alerts import evaluation, queries
from governance.operations.alerts.models import Alert
from governance.operations.alerts.window_counts import last_counts
from governance.operations.measurements import queries as measurements
from governance.operations.objectives import actions as objective_actions
from tests import make
from tests.operations.alerts.alert_helpers import (
    NOW,
    evaluate,
    failing,
    fill,
    last,
    watched_objective,
)
from tests.operations.objectives.objective_helpers import exclude


@pytest.fixture(autouse=True)
def _here(database):
    with clock.frozen(NOW + timedelta(seconds=20)), make.acting("admin"), transaction():
        yield


def alerts():
    return session().scalars(select(Alert).order_by(Alert.number)).all()


def test_a_burning_objective_fires_once_however_often_it_is_evaluated():
    objective = watched_objective()
    fill(objective.indicator_id, last(120), bad=failing(2))
    calm = watched_objective("search-availability")
    fill(calm.indicator_id, last(120))
    done = evaluate()
    assert (done.objectives, done.fired) == (2, 1)
    assert evaluate().fired == 0
    (alert,) = alerts()
    assert (alert.ref, alert.objective_id, alert.state) == ("ALR-1", objective.id, "firing")
    assert (alert.severity, alert.version) == ("page", 1)
    assert alert.rules["0.02-60-5"]["long"] == {"burn": "33.3333", "lost": 200, "measured": 6000}
    assert alert.rules["0.02-60-5"]["factor"] == "14.4"


def test_it_resolves_only_with_data_and_after_its_hold():
    objective = watched_objective(rules=[RULE])
    fill(objective.indicator_id, last(120), bad=failing(2))
    evaluate()
    for minute in range(1, 31):  # No later minute is known.
        evaluate(NOW + minute * MINUTE)
    assert alerts()[0].state == "firing"
    resumed = NOW + 30 * MINUTE
    with clock.frozen(resumed + timedelta(minutes=20)):
        fill(objective.indicator_id, Span(resumed, resumed + timedelta(minutes=20)))
    states = []
    for minute in range(31, 45):
        evaluate(NOW + minute * MINUTE)
        states.append(alerts()[0].state)
    assert states[:7] == ["firing"] * 7  # Three known minutes of five, then five clear ones.
    assert states[7:] == ["resolved"] * 7
    assert alerts()[0].resolved_at == NOW + 38 * MINUTE


RULE = {
    "budget_share": "0.02",
    "long_minutes": 60,
    "short_minutes": 5,
    "severity": "page",
}
TICKET = {**RULE, "budget_share": "0.01", "long_minutes": 120, "severity": "ticket"}


def test_a_ticket_escalates_to_a_page_and_stays_one_alert():
    objective = watched_objective(rules=[TICKET, RULE])
    at_five_percent = lambda at: 5 if at >= NOW - 10 * MINUTE else 0  # noqa: E731 - short
    fill(objective.indicator_id, last(180), bad=at_five_percent)
    evaluate()
    assert [each.severity for each in alerts()] == ["ticket"]
    with clock.frozen(NOW + timedelta(minutes=5)):
        fill(objective.indicator_id, Span(NOW, NOW + 3 * MINUTE), bad=lambda _at: 100)
    done = evaluate(NOW + 3 * MINUTE)
    (alert,) = alerts()
    assert (done.fired, done.escalated) == (0, 1)
    assert (alert.severity, alert.state) == ("page", "firing")
    assert (alert.fired_at, alert.escalated_at) == (NOW, NOW + 3 * MINUTE)
    assert len(alert.rules) == 2


def test_a_gap_never_fires():
    objective = watched_objective()
    fill(objective.indicator_id, Span(NOW - timedelta(hours=5), NOW - timedelta(hours=4)))
    assert evaluate().fired == 0


def test_low_traffic_fires_no_page_but_the_slow_rule():
    objective = watched_objective(window_days=2, rules=[RULE])
    fill(objective.indicator_id, last(2 * 1440), total=0)  # Known minutes without a request.
    fill(objective.indicator_id, last(2 * 1440), total=1, every=12)  # Five requests an hour.
    assert evaluate().fired == 0
    fill(objective.indicator_id, last(180), total=1, bad=lambda _at: 1, every=60)
    evaluate()
    (alert,) = alerts()
    assert (alert.severity, list(alert.rules)) == ("ticket", ["1-2880-240"])


def test_excluded_minutes_and_minutes_outside_service_hours_do_not_fire():
    maintained = watched_objective()
    fill(maintained.indicator_id, last(120), bad=failing(5))
    exclude(last(5), indicator_id=maintained.indicator_id)
    closed = watched_objective(
        "office-availability",
        service_hours={"days": {"wed": [["12:00", "18:00"]]}},  # It is 11:10 in Berlin.
    )
    fill(closed.indicator_id, last(120), bad=failing(5))
    other = watched_objective("other-availability")
    fill(other.indicator_id, last(120), bad=failing(5))
    evaluate()
    assert [each.objective_id for each in alerts()] == [other.id]


def test_an_open_alert_of_a_retired_objective_resolves():
    objective = watched_objective()
    fill(objective.indicator_id, last(120), bad=failing(2))
    evaluate()
    objective_actions.retire(objective, reason="Replaced")
    evaluate(NOW + MINUTE)
    assert alerts()[0].state == "resolved"


def test_unreadable_rules_count_as_the_default_ones():
    objective = watched_objective(rules=[{"budget_share": "much"}])
    fill(objective.indicator_id, last(120), bad=failing(2))
    assert evaluate().fired == 1


def test_another_tenants_objectives_are_not_evaluated():
    objective = watched_objective()
    fill(objective.indicator_id, last(120), bad=failing(2))
    with make.acting("admin", "globex"), transaction():
        assert evaluation.evaluate().objectives == 0
        assert queries.open_alerts() == []


def test_counts_of_all_windows_are_those_of_the_spans():
    """Compare one statement for all lengths with the exact counts of measurements."""
    objective = watched_objective()
    fill(objective.indicator_id, last(1500), total=7, bad=lambda at: at.minute % 3)
    lengths = [1, 5, 30, 59, 60, 61, 120, 360, 1440, 2000]
    for at in (NOW, NOW - 10 * MINUTE, NOW.replace(minute=0), NOW.replace(hour=0, minute=0)):
        found = last_counts([objective.indicator_id], lengths, at)[objective.indicator_id]
        exact = measurements.counts_of_many(
            [(objective.indicator_id, [Span(at - n * MINUTE, at)]) for n in lengths]
        )
        assert [found[n] for n in lengths] == exact


def test_a_pass_takes_the_same_statements_for_any_number_of_objectives(statements):
    for number in range(3):
        objective = watched_objective(f"availability-{number}", target=Decimal("0.99"))
        fill(objective.indicator_id, last(120))
    with statements() as seen:
        evaluate()
    few = len(seen)
    for number in range(3, 8):
        objective = watched_objective(f"availability-{number}", target=Decimal("0.99"))
        fill(objective.indicator_id, last(120))
    with statements() as seen:
        evaluate()
    assert len(seen) == few <= 7
