"""Exhausted budgets and what they tighten, webhooks, restarts, two processes, the back-test."""

import json
import threading
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.webhooks import actions as webhooks
from governance.foundation.webhooks.models import WebhookDelivery
from governance.kernel import clock
from governance.kernel.data.db import session, transaction
from governance.kernel.intervals import MINUTE, Span
from governance.operations.alerts import actions, budgets, evaluation, history, jobs, queries
from governance.operations.alerts.backtest import IncidentSpan
from governance.operations.alerts.models import Alert, AlertDelivery, BudgetExhaustion
from governance.operations.measurements.rollups import minute_at
from governance.operations.policies import actions as policies
from governance.operations.policies import queries as policy_queries
from governance.operations.policies.policy_diff import with_tier
from tests import make
from tests.operations.alerts.alert_helpers import (
    NOW,
    evaluate,
    failing,
    fill,
    last,
    watched_objective,
)
from tests.waiting import MAX_WAIT_SECONDS


@pytest.fixture
def here(database):
    with clock.frozen(NOW + timedelta(seconds=20)), make.acting("admin"), transaction():
        yield


def exhaustions():
    return session().scalars(select(BudgetExhaustion)).all()


# ---- budgets


def test_a_budget_is_gone_once_and_back_when_some_is_left(here):
    objective = watched_objective(target=Decimal("0.9"), window_days=1)
    fill(objective.indicator_id, last(1440), total=10, bad=failing(200, of=10))
    assert evaluate().exhausted == 1
    assert evaluate().exhausted == 0
    (gone,) = exhaustions()
    assert (gone.lost, gone.measured, gone.allowed) == (2000, 14400, "1440")
    later = NOW + timedelta(hours=30)
    with clock.frozen(later):
        fill(objective.indicator_id, Span(NOW, later), total=10)
        budgets.check_all()
    assert gone.restored_at == later
    names = {each.action for each in session().scalars(select(AuditEntry))}
    assert {"budget.exhausted", "budget.restored"} <= names


def test_the_first_error_of_a_month_does_not_exhaust_its_budget(here):
    objective = watched_objective(target=Decimal("0.999"), window="calendar")
    since = NOW.replace(day=25, hour=9, minute=0)  # More verdicts would need ten weeks of data.
    fill(objective.indicator_id, Span(since, NOW), bad=lambda at: 1 if at == NOW - MINUTE else 0)
    budgets.check_all()
    assert exhaustions() == []


def test_what_is_not_determinable_is_not_gone(here):
    objective = watched_objective(target=Decimal("0.9"), window_days=1)
    fill(objective.indicator_id, last(1440), total=10, every=2, bad=lambda _at: 10)
    budgets.check_all()
    assert exhaustions() == []


def ai_objective(tier):
    objective = watched_objective(
        "hallucination-free", target=Decimal("0.9"), window_days=1, is_ai=True
    )
    actions.set_response(objective, tier)
    fill(objective.indicator_id, last(1440), total=10, bad=failing(200, of=10))
    return objective


def test_an_exhausted_ai_budget_tightens_the_tier_with_its_name_as_reason(here):
    objective = ai_objective("strict")
    evaluate()
    now = policy_queries.current_policy()
    assert now.content.tier == "strict"
    version = policy_queries.version(now.number)
    assert version.reason == f"The error budget of {objective.name} is gone."
    (gone,) = exhaustions()
    assert (gone.tier, gone.policy_number) == ("strict", now.number)
    names = {each.action for each in session().scalars(select(AuditEntry))}
    assert {"budget.policy.tightened", "budget.exhausted"} <= names


def test_it_never_loosens_a_stricter_tier(here):
    now = policy_queries.current_policy()
    policies.tighten_now(
        with_tier(now.content, "regulated"), base=now.number, reason="A regulated product"
    )
    before = policy_queries.current_policy().number
    ai_objective("strict")
    evaluate()
    assert policy_queries.current_policy().content.tier == "regulated"
    assert policy_queries.current_policy().number == before
    assert exhaustions()[0].tier is None
    assert exhaustions()[0].note


def test_people_undo_it_and_a_budget_that_is_back_does_not(here):
    objective = ai_objective("strict")
    evaluate()
    later = NOW + timedelta(hours=30)
    with clock.frozen(later):
        fill(objective.indicator_id, Span(NOW, later), total=10)
        budgets.check_all()
    assert exhaustions()[0].restored_at == later
    assert policy_queries.current_policy().content.tier == "strict"


# ---- webhooks


def test_each_step_is_one_message_with_documented_fields(here):
    webhooks.add(
        name="Paging",
        url="http://127.0.0.1:9/hook",
        events=["alert.fired", "alert.acknowledged", "alert.resolved"],
    )
    objective = watched_objective(rules=[RULE])
    fill(objective.indicator_id, last(180), bad=failing(2))
    evaluate()
    evaluate()
    actions.acknowledge(queries.open_alerts()[0].id)
    with clock.frozen(NOW + timedelta(minutes=20)):
        fill(objective.indicator_id, Span(NOW, NOW + timedelta(minutes=20)))
    for minute in range(1, 20):
        evaluate(NOW + minute * MINUTE)
    sent = session().scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)).all()
    assert [each.event_type for each in sent] == [
        "alert.fired",
        "alert.acknowledged",
        "alert.resolved",
    ]
    first, second, third = (json.loads(each.body)["data"] for each in sent)
    assert (first["ref"], first["state"], first["severity"]) == ("ALR-1", "firing", "page")
    assert first["objective"]["target"] == "0.999"
    assert first["rules"][0]["factor"] == "14.4"
    assert second["acknowledged_by"]
    assert third["resolved_at"]
    steps = session().scalars(select(AlertDelivery).where(AlertDelivery.channel == "webhook")).all()
    assert {(each.step, each.endpoints) for each in steps} == {
        ("fired", 1),
        ("acknowledged", 1),
        ("resolved", 1),
    }


RULE = {"budget_share": "0.02", "long_minutes": 60, "short_minutes": 5, "severity": "page"}


def test_an_escalation_writes_to_the_admins_too_and_fires_again(here):
    objective = watched_objective(
        rules=[
            {**RULE, "budget_share": "0.01", "long_minutes": 120, "severity": "ticket"},
            RULE,
        ],
        owner_id=make.person_id("contributor"),
    )
    fill(objective.indicator_id, last(180), bad=lambda at: 5 if at >= NOW - 10 * MINUTE else 0)
    evaluate()
    actions.acknowledge(queries.open_alerts()[0].id)
    with clock.frozen(NOW + timedelta(minutes=5)):
        fill(objective.indicator_id, Span(NOW, NOW + 3 * MINUTE), bad=lambda _at: 100)
    evaluate(NOW + 3 * MINUTE)
    alert = queries.open_alerts()[0]
    assert (alert.state, alert.acknowledged_by) == ("firing", None)
    mails = select(AlertDelivery).where(AlertDelivery.channel == "email")
    found = {(each.step, each.person_id) for each in session().scalars(mails)}
    assert ("fired", make.person_id("contributor")) in found
    assert ("escalated", make.person_id("admin")) in found
    assert ("fired", make.person_id("admin")) not in found


# ---- restarts and two processes


def test_a_pause_of_the_evaluation_interrupts_a_hold(here):
    objective = watched_objective(rules=[RULE])
    fill(objective.indicator_id, last(180), bad=failing(2))
    evaluate()
    with clock.frozen(NOW + timedelta(hours=2)):
        fill(objective.indicator_id, Span(NOW, NOW + timedelta(hours=2)))
    evaluate(NOW + 4 * MINUTE)
    evaluate(NOW + 5 * MINUTE)
    assert queries.open_alerts()[0].clear_since is not None
    evaluate(NOW + 90 * MINUTE)  # The process was away, so the time between is unknown.
    assert queries.open_alerts()[0].clear_since == NOW + 90 * MINUTE
    for minute in range(91, 96):
        evaluate(NOW + minute * MINUTE)
    assert queries.open_alerts() == []


def together(*acts):
    """Run these at the same time, each in its own thread. Return the errors they raised."""
    start, raised = threading.Barrier(len(acts)), []

    def run(act):
        start.wait(MAX_WAIT_SECONDS)
        try:
            with clock.frozen(NOW + timedelta(seconds=20)):
                act()
        except Exception as error:  # noqa: BLE001 - the caller asserts what it was
            raised.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)
    return raised


def test_two_processes_fire_one_alert_and_two_people_acknowledge_it_once(committed_world):
    with clock.frozen(NOW + timedelta(seconds=20)), make.acting("admin"), transaction():
        objective = watched_objective()
        fill(objective.indicator_id, last(120), bad=failing(2))
    assert together(jobs.evaluate, jobs.evaluate) == []
    with make.acting("admin"), transaction():
        (alert,) = session().scalars(select(Alert)).all()
        alert_id = alert.id
        mails = select(AlertDelivery.person_id).where(AlertDelivery.channel == "email")
        people = session().scalars(mails).all()
        assert len(people) == len(set(people)) > 0

    def acknowledge(role):
        with make.acting(role), transaction():
            actions.acknowledge(alert_id)

    raised = together(lambda: acknowledge("admin"), lambda: acknowledge("contributor"))
    assert [type(each) for each in raised] == [actions.AlreadyAcknowledged]


# ---- the back-test over recorded minutes


def test_the_back_test_finds_what_the_evaluation_fired(here):
    objective = watched_objective(rules=[RULE])
    bursts = [range(-400, -395), range(-200, -170)]
    fill(
        objective.indicator_id,
        last(600),
        bad=lambda at: 100 if any((at - NOW) // MINUTE in burst for burst in bursts) else 0,
    )
    for minute in range(-450, 1):
        with clock.frozen(NOW + timedelta(seconds=20)):
            evaluation.evaluate(NOW + minute * MINUTE)
    live = [(each.fired_at, each.resolved_at) for each in queries.alerts_of(objective.id)][::-1]
    over = history.recorded(objective, days=1)
    tested = history.run(over, over.watched.rules)
    assert [(minute_at(each.at), minute_at(each.end)) for each in tested.alerts] == live
    assert len(live) == 2
    incidents = [IncidentSpan("INC-1", tested.alerts[0].at - 3, tested.alerts[0].at + 10)]
    compared = history.result(tested.alerts, incidents, over.history)
    assert (compared.precision, compared.detect) == (Fraction(1, 2), 3)
