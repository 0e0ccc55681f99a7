"""Pages of alerts: history, details, acknowledgment, panels, the back-test, the response."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from uuid import uuid4

import pytest
from sqlalchemy import select

from governance.kernel import clock
from governance.kernel.data.db import session, transaction
from governance.kernel.intervals import MINUTE
from governance.kernel.work.jobs import WorkItem
from governance.operations.alerts import actions, panels, queries
from governance.operations.alerts.models import AlertDelivery
from governance.operations.objectives import queries as objectives
from tests import make
from tests.conftest import visitor
from tests.operations.alerts.alert_helpers import (
    NOW,
    evaluate,
    failing,
    fill,
    last,
    watched_objective,
)

ALERTS = "/t/acme/reliability/alerts"


@pytest.fixture(autouse=True)
def _now(database):
    with clock.frozen(NOW + timedelta(seconds=20)):
        yield


@pytest.fixture
def alert(database):
    """Return a firing alert of an objective that a contributor owns."""
    with make.acting("admin"), transaction():
        objective = watched_objective(owner_id=make.person_id("contributor"))
        fill(objective.indicator_id, last(180), bad=failing(2))
        evaluate()
        found = queries.open_alerts()[0]
        session().expunge(found)
        return found


def test_the_history_lists_alerts_and_filters_them(app, alert):
    client = visitor(app, "viewer")
    body = client.get(f"{ALERTS}/").text
    assert "1 alert is firing" in body
    assert "ALR-1" in body
    assert "Claims triage · triage-availability" in body
    assert "ALR-1<" not in client.get(f"{ALERTS}/?state=resolved").text
    assert "ALR-1<" in client.get(f"{ALERTS}/?state=open&severity=page&q=ALR-1").text
    assert client.get(f"{ALERTS}/?q=nothing").status_code == 200


def test_the_history_says_how_many_alerts_people_have_acknowledged(app, alert):
    client = visitor(app, "admin")
    client.post(f"{ALERTS}/{alert.id}/acknowledge")
    assert "No alert is firing, 1 is acknowledged" in client.get(f"{ALERTS}/").text


def test_another_tenant_sees_nothing_of_it(app, alert):
    client = visitor(app, "admin", "globex")
    assert "No alert is firing" in client.get("/t/globex/reliability/alerts/").text
    client.get(f"/t/globex/reliability/alerts/{alert.id}", then=404)
    client.post(f"/t/globex/reliability/alerts/{alert.id}/acknowledge", then=404)


def test_an_alert_shows_what_fired_what_burns_and_whom_it_was_sent_to(app, alert):
    body = visitor(app, "viewer").get(f"{ALERTS}/{alert.id}").text
    assert "When it fired, the objective spent its budget 33.3 times too fast over 1 h" in body
    assert "2% in 1 h" in body
    assert "14.4×" in body
    assert "1 h: 200 of 6,000" in body
    assert "Email" in body
    assert "Acknowledge alert" not in body  # A viewer has no such button.
    visitor(app, "viewer").get(f"{ALERTS}/{uuid4()}", then=404)


def test_acknowledging_is_once_and_the_second_person_learns_who_was_first(app, alert):
    owner = visitor(app, "contributor")
    assert "Acknowledge alert" in owner.get(f"{ALERTS}/{alert.id}").text
    owner.post(f"{ALERTS}/{alert.id}/acknowledge")
    owner.post(f"{ALERTS}/{alert.id}/acknowledge")
    second = visitor(app, "admin").post(f"{ALERTS}/{alert.id}/acknowledge", then=409)
    assert "acknowledged ALR-1 at" in second.text
    visitor(app, "viewer").post(f"{ALERTS}/{alert.id}/acknowledge", then=403)
    with make.acting("admin"), transaction():
        found = queries.alert(alert.id)
        assert (found.state, found.acknowledged_by) == (
            "acknowledged",
            make.person_id("contributor"),
        )


def test_a_resolved_alert_is_not_acknowledged_any_more(app, alert):
    with make.acting("admin"), transaction():
        found = queries.alert(alert.id)
        found.state, found.resolved_at = "resolved", NOW
    answer = visitor(app, "admin").post(f"{ALERTS}/{alert.id}/acknowledge", then=409)
    assert "resolved before you acknowledged it" in answer.text


def test_the_row_is_swapped_by_its_fragment(app, alert):
    client = visitor(app, "contributor")
    answer = client.client.post(
        f"{ALERTS}/{alert.id}/acknowledge",
        data={"row": "1", "csrf_token": client.csrf()},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200
    assert answer.text.strip().startswith("<section")
    assert "acknowledged by" in answer.text
    assert "<html" not in answer.text


def test_the_live_hint_counts_what_fired_since(app, alert):
    client = visitor(app, "viewer")
    before = (NOW - MINUTE).isoformat().replace("+", "%2B")
    assert client.get(f"{ALERTS}/live?since={before}").json == {"count": 1, "words": "1 new alert"}
    now = clock.now().isoformat().replace("+", "%2B")
    assert client.get(f"{ALERTS}/live?since={now}").json["count"] == 0
    client.get(f"{ALERTS}/live?since=yesterday", then=422)


# ---- messages


def test_an_alert_is_sent_once_by_inbox_and_mail(alert):
    with make.acting("admin"), transaction():
        mails = session().scalars(select(WorkItem).where(WorkItem.kind == "mail")).all()
        mine = [each for each in mails if "ALR-1" in each.params["subject"]]
        assert [each.params["subject"] for each in mine] == [
            "Page: Claims triage · triage-availability (ALR-1)"
        ]
        assert f"/t/acme/reliability/alerts/{alert.id}" in mine[0].params["body"]
        sent = session().scalars(select(AlertDelivery)).all()
        assert {each.person_id for each in sent if each.channel == "email"} == {
            make.person_id("contributor")
        }
        inbox = {each.person_id for each in sent if each.channel == "inbox"}
        assert inbox >= {make.person_id(role) for role in ("admin", "contributor")}
        assert make.person_id("viewer") not in inbox
        evaluate(NOW + MINUTE)
        assert len(session().scalars(select(AlertDelivery)).all()) == len(sent)


def test_the_inbox_holds_it_for_those_who_act_until_somebody_does(app, alert):
    for role in ("contributor", "admin", "compliance_officer"):
        assert "Acknowledge ALR-1" in visitor(app, role).get("/t/acme/inbox/").text
    assert "ALR-1" not in visitor(app, "viewer").get("/t/acme/inbox/").text
    visitor(app, "contributor").post(f"{ALERTS}/{alert.id}/acknowledge")
    assert "Acknowledge ALR-1" not in visitor(app, "admin").get("/t/acme/inbox/").text


def test_the_palette_finds_it(app, alert):
    assert "ALR-1" in visitor(app, "viewer").get("/t/acme/jump?q=ALR-1").text


# ---- the panels of objectives


def render(app, draw):
    with (
        app.test_request_context(f"{ALERTS}/"),
        make.acting("admin"),
        transaction(read_only=True),
    ):
        return str(draw())


def test_the_panel_of_alerts_has_their_verbs(app, alert):
    body = render(app, lambda: panels.alert_panel([alert.objective_id]))
    assert "ALR-1" in body
    assert "nobody has acknowledged it" in body
    assert 'data-key="a"' in body
    assert "c-alert-bad" in body
    assert "ALR-1" not in render(app, lambda: panels.alert_panel([uuid4()]))


def test_states_are_those_of_open_alerts(app, alert):
    with make.acting("admin"), transaction(read_only=True):
        found = panels.states([alert.objective_id, uuid4()])
        assert {key: (each.state, each.ref) for key, each in found.items()} == {
            alert.objective_id: ("firing", "ALR-1")
        }


def test_the_rules_show_both_windows_against_the_limit(app, alert):
    client = visitor(app, "viewer")
    address = f"{ALERTS}/rules/{alert.objective_id}"
    part = client.get(address, headers={"HX-Request": "true"}).text
    assert part.strip().startswith("<section")
    assert "of four rules exceed their limit in both windows: one alert, ALR-1" in part
    assert "14.4×" in part
    assert re.search(r"1 h: 200 of 6,000 requests", part)
    assert "last fired 11:10" in part
    assert "Each rule needs at least 3 bad and 100 total requests" in part
    assert "<html" in client.get(address).text


def test_the_objectives_page_shows_the_alert_and_loads_the_rules_after(app, alert):
    body = (
        visitor(app, "contributor").get(f"/t/acme/reliability/objectives/{alert.objective_id}").text
    )
    assert "nobody has acknowledged it" in body
    assert f'hx-get="{ALERTS}/rules/{alert.objective_id}"' in body
    assert f'hx-get="{ALERTS}/backtests/{alert.objective_id}"' in body
    assert "1 firing" in visitor(app, "viewer").get("/t/acme/reliability/").text


def test_a_rule_that_can_never_fire_is_named_where_rules_are_seen_and_chosen(app):
    """Name the rule: 2% in 1 h of 90 days is 43.2×, which at 97% is 130% of all events."""
    with make.acting("admin"), transaction():
        made = watched_objective(target=Decimal("0.97"), window_days=90)
        fill(made.indicator_id, last(180), bad=failing(2))
        evaluate()
        loose = made.id
    client = visitor(app, "viewer")
    part = unescape(client.get(f"{ALERTS}/rules/{loose}", headers={"HX-Request": "true"}).text)
    assert part.count("Can't fire") == 1
    assert "its limit is above every event lost, at this target and window" in part
    choice = client.get(f"{ALERTS}/backtests/{loose}", headers={"HX-Request": "true"}).text
    assert choice.count("can't fire: its limit is above every event lost") == 1


# ---- the back-test


def test_the_back_test_reruns_with_other_rules_and_saves_them_as_a_version(app, alert):
    client = visitor(app, "compliance_officer")
    address = f"{ALERTS}/backtests/{alert.objective_id}"
    body = client.get(address).text
    assert "These rules would have raised 1 alert" in body
    assert "Save as version" not in body
    part = client.get(f"{address}?chosen=1&rule=0.1-4320-360", headers={"HX-Request": "true"}).text
    assert part.strip().startswith("<section")
    assert "Without 2% in 1 h and 5% in 6 h and 10% in 24 h" in part
    assert "Save as version 2" in part
    form = client.get(f"{address}/save?rule=0.1-4320-360").text
    assert "10% in 3 days" in form
    client.post(f"{address}/save", rules="0.1-4320-360", seen="1", reason="", then=422)
    client.post(f"{address}/save", rules="0.1-4320-360", seen="1", reason="Fewer pages")
    with make.acting("admin"), transaction():
        objective = objectives.objective(alert.objective_id)
        assert objective.number == 2
        assert [rule["long_minutes"] for rule in objective.rules] == [4320]
    stale = client.post(f"{address}/save", rules="0.02-60-5", seen="1", reason="More", then=409)
    assert "version 2" in stale.text


def test_an_alert_leads_to_declaring_an_incident_and_then_to_it(app, alert):
    officer = visitor(app, "compliance_officer")
    body = officer.get(f"{ALERTS}/{alert.id}").text
    assert f"/t/acme/incidents/new?alert={alert.id}" in body
    assert "Declare incident…" not in visitor(app, "viewer").get(f"{ALERTS}/{alert.id}").text
    incident_id = uuid4()
    with make.acting("admin"), transaction():
        actions.link_incident(queries.alert(alert.id), incident_id, "INC-7")
    body = officer.get(f"{ALERTS}/{alert.id}").text
    assert "Open INC-7" in body
    assert f"/t/acme/incidents/{incident_id}" in body
    assert "Declare incident…" not in body


def test_another_tenant_has_none_of_an_objectives_pages(app, alert):
    stranger = visitor(app, "admin", "globex")
    for page in ("rules", "backtests", "responses"):
        stranger.get(f"/t/globex/reliability/alerts/{page}/{alert.objective_id}", then=404)


def test_a_viewer_tests_and_does_not_save(app, alert):
    client = visitor(app, "viewer")
    address = f"{ALERTS}/backtests/{alert.objective_id}"
    assert "Save as version" not in client.get(f"{address}?chosen=1").text
    client.get(f"{address}/save", then=403)


# ---- exhausted budgets of AI objectives


def test_only_an_ai_objective_has_a_response(app, alert):
    client = visitor(app, "compliance_officer")
    client.get(f"{ALERTS}/responses/{alert.objective_id}", then=404)
    with make.acting("admin"), transaction():
        address = f"{ALERTS}/responses/{watched_objective('hallucination-free', is_ai=True).id}"
    assert "Tighten the policy to" in client.get(address).text
    client.post(address, tier="none such", then=422)
    client.post(address, tier="strict")
    assert 'value="strict" id="tier-3" checked' in client.get(address).text
    client.post(address, tier="nothing")
    visitor(app, "contributor").get(address, then=403)


def test_a_window_that_is_unknown_is_said_to_be(app, alert):
    with make.acting("admin"), transaction():
        for minute in range(1, 9):
            evaluate(NOW + minute * MINUTE)
    with clock.frozen(NOW + 8 * MINUTE):
        body = render(app, lambda: panels.alert_panel([alert.objective_id]))
    assert "without data an alert can't resolve" in body
