"""The age of the last red team, shown on the policy page and on the system's page."""

import re
from datetime import timedelta

import pytest

from governance.assurance.red_teams import actions, queries
from governance.kernel import clock
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.red_teams.red_team_helpers import (
    NOW,
    attempted,
    finished,
    join_as_auditor,
    planned,
    reported,
)
from tests.conftest import visitor
from tests.operations.evaluations.evaluation_helpers import published_suite, system

POLICY = "policies/in-force?system=claims-triage"
LINK = "systems/claims-triage/red-team"


@pytest.fixture(autouse=True)
def _system(app, isolated):
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        published_suite()
        system()
    with clock.frozen(NOW):
        yield


def now_of(page):
    """Return (the age that the policy page shows, whether it exceeds the limit)."""
    found = re.search(r"Now:\s*(?:<a[^>]*>)?([^<]+?)\s*<", page.text)
    return (found[1] if found else None, "Beyond the limit" in page.text)


def test_the_policy_page_shows_the_age_beside_its_limit(app, as_admin):
    assert now_of(as_admin.get(POLICY)) == ("never", True)
    red_team_id, scenario_id, _other = planned()
    attempted(red_team_id, scenario_id, "held")
    assert now_of(as_admin.get(POLICY)) == ("never", True)  # None is finished.
    with make.acting("compliance_officer"):
        actions.finish(queries.red_team(red_team_id), summary="It held.")
    assert now_of(as_admin.get(POLICY)) == ("0 days", False)
    with clock.frozen(NOW + timedelta(days=90)):
        assert now_of(visitor(app, "admin").get(POLICY)) == ("90 days", False)
    with clock.frozen(NOW + timedelta(days=91)):
        assert now_of(visitor(app, "admin").get(POLICY)) == ("91 days", True)


def test_a_past_day_and_the_general_policy_have_no_figure_of_now(as_admin):
    finished()
    day = (NOW - timedelta(days=1)).date().isoformat()
    assert now_of(as_admin.get(f"{POLICY}&at={day}")) == (None, False)
    assert now_of(as_admin.get("policies/in-force?system=")) == (None, False)


def test_the_figure_leads_to_the_red_teams_where_the_reader_may_open_them(
    as_contributor, as_viewer
):
    finished()
    assert LINK in as_contributor.get(POLICY).text
    page = as_viewer.get(POLICY)
    assert now_of(page) == ("0 days", False) and LINK not in page.text


def test_a_tester_of_a_third_party_gets_no_link_from_the_policy(as_auditor):
    own, scenario, _other = planned(kind="third_party", firm="Orca Labs")
    attempted(own, scenario, "held")
    join_as_auditor(own)
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    page = as_auditor.get(POLICY)
    assert now_of(page) == ("never", True) and LINK not in page.text


def test_another_tenants_red_team_doesnt_count(as_neighbour):
    with make.acting("admin", "globex"):
        system()
    finished()
    assert now_of(as_neighbour.get(POLICY)) == ("never", True)


def test_the_page_of_the_system_shows_it_beside_what_is_open(app, as_admin):
    page = "systems/claims-triage"
    red_team_id, scenario_id, _other = planned()
    assert "none finished" in as_admin.get(page).text
    attempted(red_team_id, scenario_id)
    with make.acting("compliance_officer"):
        actions.finish(queries.red_team(red_team_id), summary="One broke through.")
    text = as_admin.get(page).text
    assert "0 days ago" in text and "no finding is open" in text
    other, second, _unused = planned(title="Another")
    reported(other, attempted(other, second))
    with clock.frozen(NOW + timedelta(days=3)):
        text = visitor(app, "admin").get(page).text
        assert "1 open" in text and "RTF-1, up to 7.1; last red team: 3 days ago" in text
