"""A red team from plan to end: what it may do, when, and who decides."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.assurance.red_teams import actions, queries
from governance.assurance.red_teams.models import RedTeam, RedTeamFinding
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.operations.systems import queries as systems
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.red_teams.red_team_helpers import (
    FIXED,
    METRICS,
    NOW,
    OLD,
    RIGHT,
    WRONG,
    attempted,
    fixed_finding,
    join_as_auditor,
    pin,
    planned,
    reported,
    runs,
    state,
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


def only(model):
    with make.acting("admin"):
        return session().scalars(select(model)).one().id


def sent(kind="internal", **changes):
    with make.acting("admin"):
        system_id = systems.system("claims-triage").id
    return {
        "system_id": str(system_id),
        "release": OLD,
        "title": "Injection through claims",
        "kind": kind,
        "rules": "Test claims only.",
        "opens_on": "2026-11-23",
        "closes_on": "2026-11-30",
    } | changes


def test_from_plan_to_closed_through_the_pages(as_officer, as_contributor):
    assert "No red teams yet" in as_officer.get("red-teams/").text
    as_officer.post("red-teams/new", then=303, **sent())
    team = only(RedTeam)
    page = f"red-teams/{team}"
    as_officer.post(
        f"{page}/scenarios/new",
        then=303,
        risk="LLM01:2026",
        title="Injected invoice",
        goal="It approves the claim.",
    )
    as_officer.post(
        f"{page}/scenarios/new",
        then=303,
        risk="AML.T0051.001",
        title="Hidden text",
        goal="It obeys.",
    )
    assert "Never tried: Injected invoice, Hidden text" in as_officer.get(page).text
    with make.acting("admin"):
        scenario = queries.scenarios((team,))[0].id
    form = {"scenario_id": str(scenario), "release": OLD, "what": "An invoice.", "outcome": "broke"}
    as_contributor.post(f"{page}/attempts/new", then=303, **form)
    text = as_contributor.get(page).text
    assert "1 of 2 scenarios tried" in text and "Never tried: Hidden text" in text
    report = re.search(rf"{team}/attempts/[0-9a-f-]+/report", text)[0]
    told = {"title": "An invoice approves itself", "reproduction": "Upload it."}
    as_contributor.post(f"red-teams/{report}", then=303, **told, **METRICS)
    finding = f"red-teams/findings/{only(RedTeamFinding)}"
    assert "7.1 high" in as_officer.get(finding).text
    assert "An invoice approves itself: confirm or reject it" in as_officer.get("inbox/").text
    as_contributor.post(f"{finding}/confirm", then=403, reason="Yes.")
    for path in (finding, page):
        step_page = as_officer.get(f"{path}/{'confirm' if path == finding else 'finish'}").text
        # The breadcrumb, and Cancel.
        assert len(re.findall(rf'href="[^"]*/{path}"', step_page)) == 2
    as_officer.post(f"{finding}/confirm", then=303, reason="We see it too.")
    runs()
    choices = as_contributor.get(f"{finding}/case").text
    measure = choices.split(' hallucination"')[0].rsplit('"', 1)[1] + " hallucination"
    as_contributor.post(f"{finding}/case", then=303, measure=measure, case=WRONG)
    as_contributor.post(f"{finding}/fix", then=303, fixed_release=FIXED, reason="Filters text.")
    text = as_officer.get(finding).text
    assert "The regression case proves the fix" in text and "Fails" in text and "Passes" in text
    as_officer.post(f"{finding}/close", then=303, reason="Both runs show it.")
    text = as_officer.get(finding).text
    assert "closed a finding of a red team" in text and "Both runs show it." in text
    assert "RTF-1" not in as_officer.get("inbox/").text
    as_officer.post(f"{page}/finish", then=303, summary="One finding, fixed.")
    text = as_officer.get(page).text
    assert "One finding, fixed." in text and "Finished" in text
    assert "Record attempt" not in as_contributor.get(page).text
    assert "Finished" in as_officer.get("red-teams/").text
    text = as_officer.get("systems/claims-triage/red-team").text
    assert "Prompt Injection" in text and "Hidden text" in text and "Never tried" in text


def test_a_finding_closes_only_by_a_case_that_fails_before_and_passes_after(as_officer):
    found = fixed_finding()
    path = f"red-teams/findings/{found}"

    def refused():
        return as_officer.post(f"{path}/close", then=422, reason="Close it.").text

    assert "It has to fail there." in refused() or "has to fail there." in refused()
    runs(fixed=None)
    assert "has to pass there" in refused()
    runs(old=None, fixed=(9, 1))
    assert f"still fails on release {FIXED}" in refused()
    runs(old=None, fixed=(10, 0))
    as_officer.post(f"{path}/close", then=303, reason="It is fixed.")
    assert state(found) == "closed"


def test_a_case_that_passes_on_both_releases_shows_nothing(as_officer):
    found = fixed_finding(case=RIGHT)
    runs()
    text = as_officer.post(f"red-teams/findings/{found}/close", then=422, reason="Close it.").text
    assert f"passes on release {OLD} too" in text and "Pin one that fails there." in text
    assert state(found) == "fixed"


def test_without_a_pinned_case_nothing_closes(as_officer):
    red_team_id, scenario_id, _other = planned()
    found = reported(red_team_id, attempted(red_team_id, scenario_id))
    path = f"red-teams/findings/{found}"
    assert "This step needs" in as_officer.post(f"{path}/close", then=409, reason="Now.").text
    step(found, "confirm")
    step(found, "fix", release=FIXED)
    text = as_officer.post(f"{path}/close", then=422, reason="Now.").text
    assert "Pin a regression case first." in text
    as_officer.post(f"{path}/reopen", then=303, reason="No.")
    text = as_officer.post(f"{path}/fix", then=422, fixed_release=OLD, reason="Same.").text
    assert "This is the release that broke." in text


def test_a_rejected_finding_keeps_its_reason_and_goes_no_further(as_officer):
    red_team_id, scenario_id, _other = planned()
    found = reported(red_team_id, attempted(red_team_id, scenario_id))
    path = f"red-teams/findings/{found}"
    as_officer.post(f"{path}/reject", then=303, reason="The invoice was ours.")
    text = as_officer.get(path).text
    assert "Rejected" in text and "The invoice was ours." in text
    as_officer.post(f"{path}/confirm", then=409, reason="It is real.")
    as_officer.post(f"{path}/case", then=422, measure="x", case=WRONG)


def test_nothing_is_tried_before_the_window_or_after_it(app):
    red_team_id, scenario_id, _other = planned()
    path = f"red-teams/{red_team_id}"
    form = {
        "scenario_id": str(scenario_id),
        "release": OLD,
        "what": "An invoice.",
        "outcome": "held",
    }
    with clock.frozen(NOW - timedelta(days=9)):
        as_contributor = visitor(app, "contributor")
        text = as_contributor.post(f"{path}/attempts/new", then=422, **form).text
        assert "opens on" in text
    broke = attempted(red_team_id, scenario_id)
    with clock.frozen(NOW + timedelta(days=9)):
        as_contributor = visitor(app, "contributor")
        as_officer = visitor(app, "compliance_officer")
        text = as_contributor.post(f"{path}/attempts/new", then=422, **form).text
        assert "with it the consent to attack" in text
        told = {"title": "Late", "reproduction": "Upload it."} | METRICS
        text = as_contributor.post(f"{path}/attempts/{broke}/report", then=422, **told).text
        assert "with it the consent to attack" in text
        assert "is over: finish it" in as_officer.get("inbox/").text
        as_officer.post(f"{path}/finish", then=303, summary="One attempt.")
        as_contributor.post(f"{path}/attempts/new", then=409, **form)


def test_only_an_attempt_that_broke_through_is_a_finding(as_contributor):
    red_team_id, scenario_id, _other = planned()
    held = attempted(red_team_id, scenario_id, "held")
    told = {"title": "No", "reproduction": "Upload it."} | METRICS
    path = f"red-teams/{red_team_id}/attempts"
    text = as_contributor.post(f"{path}/{held}/report", then=422, **told).text
    assert "Only an attempt that broke through is a finding." in text
    other, _first, _second = planned(title="Another")
    as_contributor.get(f"red-teams/{other}/attempts/{held}/report", then=404)


@pytest.mark.parametrize(
    "risk",
    ["LLM01:2019", "LLM01", "LLM99:2026", "llm01:2026", "AML.T9999", "AML.T0051.999", ""],
)
def test_a_scenario_names_an_edition_and_a_technique_that_exist(as_officer, risk):
    red_team_id, _first, _second = planned()
    text = as_officer.post(
        f"red-teams/{red_team_id}/scenarios/new", then=422, risk=risk, title="T", goal="G"
    ).text
    assert "Choose an id" in text
    with make.acting("admin", read_only=True):
        assert len(queries.scenarios((red_team_id,))) == 2
    with make.acting("compliance_officer"), pytest.raises(Invalid, match="with its edition"):
        actions.add_scenario(queries.red_team(red_team_id), risk=risk, title="T", goal="G")


def test_a_red_team_that_tried_nothing_is_cancelled_not_finished(as_officer):
    red_team_id, scenario_id, _other = planned()
    path = f"red-teams/{red_team_id}"
    assert "Nothing was tried yet." in as_officer.post(f"{path}/finish", then=422, summary="-").text
    as_officer.post(f"{path}/cancel", then=303, reason="No time.")
    assert "Cancelled" in as_officer.get(path).text
    red_team_id, scenario_id, _other = planned(title="Another")
    attempted(red_team_id, scenario_id)
    text = as_officer.post(f"red-teams/{red_team_id}/cancel", then=422, reason="No time.").text
    assert "Finish it instead." in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"closes_on": "2026-11-20", "opens_on": "2026-11-01"}, "The window is over already."),
        ({"closes_on": "2026-11-22"}, "The window ends before it begins."),
        ({"closes_on": "2027-11-22"}, "A window lasts 92 days at most."),
        ({"release": "a b"}, "Enter a release such as 2026.12.0"),
        ({"kind": "third_party"}, "Enter the firm that attacks."),
        ({"system_id": "3f0f9c9e-0000-4000-8000-000000000000"}, ""),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(as_officer, changes, says):
    assert says in as_officer.post("red-teams/new", then=422, **sent(**changes)).text


def test_who_plans_and_who_reads(as_contributor, as_viewer, as_neighbour):
    as_contributor.post("red-teams/new", then=403, **sent())
    red_team_id, scenario_id, _other = planned()
    as_contributor.get(f"red-teams/{red_team_id}")
    as_viewer.get(f"red-teams/{red_team_id}", then=403)
    as_neighbour.get(f"red-teams/{red_team_id}", then=404)
    found = reported(red_team_id, attempted(red_team_id, scenario_id))
    as_neighbour.get(f"red-teams/findings/{found}", then=404)
    as_neighbour.post(f"red-teams/findings/{found}/close", then=404, reason="Close it.")
    assert "RT-1" not in as_neighbour.get("red-teams/").text


# ---- third parties


def test_a_third_party_comes_through_the_auditors_door_and_sees_its_red_team_alone(as_auditor):
    own, scenario, _other = planned(kind="third_party", firm="Orca Labs")
    other, their_scenario, _ = planned(title="Internal only")
    third, third_scenario, _ = planned(kind="third_party", firm="Kelp Labs", title="Of others")
    join_as_auditor(own)
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    text = as_auditor.get("red-teams/").text
    assert "Injection through claim documents" in text
    assert "Internal only" not in text and "Of others" not in text
    path = f"red-teams/{own}"
    form = {"release": OLD, "what": "An invoice.", "outcome": "broke"}
    as_auditor.post(f"{path}/attempts/new", then=303, scenario_id=str(scenario), **form)
    for hidden, of_it in ((other, their_scenario), (third, third_scenario)):
        as_auditor.get(f"red-teams/{hidden}", then=404)
        as_auditor.post(
            f"red-teams/{hidden}/attempts/new", then=404, scenario_id=str(of_it), **form
        )
        text = as_auditor.post(
            f"{path}/attempts/new", then=422, scenario_id=str(of_it), **form
        ).text
        assert "Choose a scenario of this red team." in text
    as_auditor.post(f"{path}/finish", then=403, summary="Done.")
    as_auditor.get("controls/")
    assert "Internal only" not in as_auditor.get("systems/claims-triage/red-team").text


def test_a_testers_finding_is_theirs_to_report_and_not_to_close(as_auditor, as_officer):
    own, scenario, _other = planned(kind="third_party", firm="Orca Labs")
    join_as_auditor(own)
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    broke = attempted(own, scenario, by="auditor")
    told = {"title": "It approves itself", "reproduction": "Upload it."} | METRICS
    as_auditor.post(f"red-teams/{own}/attempts/{broke}/report", then=303, **told)
    found = only(RedTeamFinding)
    as_auditor.get(f"red-teams/findings/{found}")
    for verb in ("confirm", "reject", "fix", "close"):
        as_auditor.post(f"red-teams/findings/{found}/{verb}", then=403, reason="-")
    with clock.frozen(NOW + timedelta(days=9)):
        as_auditor.get(f"red-teams/{own}", then=302)  # Signed out, since the engagement ended.
    as_officer.post(f"red-teams/findings/{found}/confirm", then=303, reason="Yes.")


def test_an_auditor_of_everything_reads_red_teams_and_records_nothing(as_auditor):
    own, scenario, _other = planned()
    as_auditor.get(f"red-teams/{own}")
    form = {"release": OLD, "what": "An invoice.", "outcome": "broke"}
    text = as_auditor.post(
        f"red-teams/{own}/attempts/new", then=403, scenario_id=str(scenario), **form
    ).text
    assert "a tester of RT-1. Only its testers" in text
    assert "Record attempt" not in as_auditor.get(f"red-teams/{own}").text


def test_the_case_can_be_pinned_again_until_the_end(as_contributor):
    found = fixed_finding(case=RIGHT)
    pin(found, WRONG)
    runs()
    step(found, "close")
    choices = {"measure": "x", "case": WRONG}
    as_contributor.post(f"red-teams/findings/{found}/case", then=422, **choices)


def test_cases_of_a_linked_run_count_as_attempts(as_contributor, as_neighbour):
    red_team_id, scenario_id, other = planned()
    attempted(red_team_id, scenario_id, "unclear")
    runs(old=(9, 1), fixed=None)
    path = f"red-teams/{red_team_id}"
    form = as_contributor.get(f"{path}/runs/new").text
    run = re.search(r'value="([0-9a-f-]+ hallucination)"', form)[1]
    sent = {"scenario_id": str(scenario_id), "run": run}
    as_contributor.post(f"{path}/runs/new", then=303, **sent)
    as_contributor.post(f"{path}/runs/new", then=303, **sent)  # Counted once.
    text = as_contributor.get(path).text
    assert "9 held · 1 broke · 1 unclear" in text and "Runs that count as attempts" in text
    assert "Never tried: Hidden text" in text
    wrong = {"scenario_id": str(other), "run": f"{run.split()[0]} latency-p50"}
    as_contributor.post(f"{path}/runs/new", then=422, **wrong)
    as_neighbour.post(f"{path}/runs/new", then=404, **sent)
