"""Rollout gates on the age of the last finished red team, and on its open findings."""

from datetime import timedelta

import pytest

from governance.assurance.red_teams import actions, gates, queries
from governance.kernel import clock
from governance.operations.gates.gates import GateSubject
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.red_teams.red_team_helpers import (
    FIXED,
    NOW,
    WRONG,
    attempted,
    finished,
    pin,
    planned,
    reported,
    runs,
    step,
)
from tests.conftest import visitor
from tests.operations.evaluations.evaluation_helpers import published_suite, system


@pytest.fixture(autouse=True)
def _system(app, isolated):
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        published_suite()
        system()
    with clock.frozen(NOW):
        yield


def readings():
    with make.acting("admin", read_only=True):
        row = register.system("claims-triage")
        subject = GateSubject(row.id, row.key, "", FIXED, "", None, None, True)
        return [
            (each.name, each.verdict, each.needs, each.figure) for each in gates.AGE.read(subject)
        ]


def age():
    return [each[1:] for each in readings() if each[0] == "Age of the last red team"]


def left_open():
    return [each[1:] for each in readings() if each[0] == "Open findings of red teams"]


def test_a_system_without_a_finished_red_team_never_passes():
    missing = [("missing", "at most 90 days", "none finished")]
    assert age() == missing
    red_team_id, scenario_id, _other = planned()
    attempted(red_team_id, scenario_id, "held")
    assert age() == missing  # It isn't finished.
    other, _first, _second = planned(title="Another")
    with make.acting("compliance_officer"):
        actions.cancel(queries.red_team(other), reason="No time.")
    assert age() == missing
    with make.acting("compliance_officer"):
        actions.finish(queries.red_team(red_team_id), summary="It held.")
    assert age() == [("pass", "at most 90 days", "RT-1")]


def test_a_red_team_grows_too_old_and_the_page_says_so(app):
    finished()
    assert (
        "RT-1 ended 0 days ago." in visitor(app, "admin").get("systems/claims-triage/red-team").text
    )
    with clock.frozen(NOW + timedelta(days=90)):
        assert age()[0][0] == "pass"
    with clock.frozen(NOW + timedelta(days=91)):
        assert age() == [("fail", "at most 90 days", "RT-1")]
        text = visitor(app, "admin").get("systems/claims-triage/red-team").text
        assert "The last red team is too old." in text and "RT-1 ended 91 days ago" in text


def test_the_age_counts_from_the_end_of_the_window_where_somebody_finished_it_late():
    red_team_id, scenario_id, _other = planned()
    attempted(red_team_id, scenario_id, "held")
    with clock.frozen(NOW + timedelta(days=80)), make.acting("compliance_officer"):
        actions.finish(queries.red_team(red_team_id), summary="It held.")
    with clock.frozen(NOW + timedelta(days=94)):
        assert age()[0][0] == "pass"
    with clock.frozen(NOW + timedelta(days=97)):
        assert age()[0][0] == "fail"


def test_the_policy_of_a_high_risk_system_is_stricter():
    finished()
    with make.acting("admin"):
        register.system("claims-triage", lock=True).lane = "high_risk"
    assert age() == [("pass", "at most 60 days", "RT-1")]


def test_an_open_finding_fails_its_gate_until_its_case_proves_the_fix():
    assert left_open() == []
    red_team_id, scenario_id, _other = planned()
    found = reported(red_team_id, attempted(red_team_id, scenario_id))
    assert left_open() == [("fail", "none open", "RTF-1")]
    step(found, "confirm")
    pin(found, WRONG)
    step(found, "fix", release=FIXED)
    assert left_open()[0][0] == "fail"
    runs()
    step(found, "close")
    assert left_open() == [("pass", "none open", "none")]
