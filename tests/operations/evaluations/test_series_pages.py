"""The weekly series of an AI system: what each week shows, and what it never shows."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from governance.assurance.incidents import actions as incidents
from governance.kernel import clock
from governance.operations.evaluations import queries
from governance.operations.evaluations.files.records import RunOutcome
from governance.operations.evaluations.judges import actions as judge_actions
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.evaluations.suites.task_packs import TIERS
from governance.operations.policies import actions as policy_actions
from governance.operations.policies import queries as policies
from governance.operations.systems import queries as register
from tests import make
from tests.conftest import visitor
from tests.operations.evaluations.evaluation_helpers import published_suite, system
from tests.operations.evaluations.series_helpers import week_run

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
WEEK = date(2026, 11, 23)
PAGE = "evaluations/systems/claims-triage"


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with clock.frozen(NOW):
        with make.acting("admin"):
            published_suite()
            system(serves="")
        yield


@pytest.fixture
def judged(tmp_path):
    """Return a function that judges a past run with a number of grounded answers."""
    cases = tmp_path / "cases"
    cases.touch()

    def judge(back, grounded=1140, n=1200, **more):
        scores = {"grounded": (grounded, n), "cost_per_request": (0.03, n)}
        with make.acting("admin"):
            suite, triage = queries.suite("claims-grounding"), register.system("claims-triage")
            week = WEEK - timedelta(weeks=back)
            week_run(week, suite, triage, more.pop("scores", scores), cases, **more)

    return judge


def shown(app, more="", role="viewer"):
    return visitor(app, role).get(PAGE + more).text


def rows(app, more=""):
    """Return the rows of the CSV file about hallucination, by week."""
    file = visitor(app, "viewer").get(f"{PAGE}/series.csv{more}").get_data(as_text=True)
    found = csv.DictReader(io.StringIO(file.lstrip("\ufeff")))
    return {row["week"]: row for row in found if row["measure"] == "hallucination"}


def test_a_measure_that_rose_by_more_than_chance_shows_where(app, judged):
    for back in range(2, 14):
        judged(back, 1170)
    for back in range(2):
        judged(back, 1145)
    page = shown(app)
    assert "Hallucination went from 2.5% to 4.6%" in page
    assert "Another level from the week of 16 November 2026" in page
    assert "at most 5% over 5 measures together; percentiles aren’t tested" in page
    assert "limit 3.0%" in page


def test_a_difference_that_chance_explains_is_no_change(app, judged):
    """Ignore 4 of 100 after 2 of 100: twice as much, but not significant."""
    for back in range(13):
        judged(back, 96 if back < 2 else 98, 100)
    page = shown(app)
    assert "No measure changed in 13 weeks" in page
    assert "went from" not in page


def test_a_measure_no_run_has_is_no_pass(app, judged, as_contributor):
    address = "evaluations/systems/claims-triage/release"
    as_contributor.post(address, release="2026.11.2", reason="The deployment log.")
    judged(0, 1199)
    page = shown(app)
    assert "Harmful output: no run has it" in page
    assert "No run has this measure, so nothing passes by it." in page
    week = visitor(app, "viewer").get("evaluations/").text
    assert "No run has it" in week
    assert "2 pass" in week


def judge_of(measure, version, at):
    with clock.frozen(at), make.acting("admin"):
        judge_actions.register(
            queries.suite("claims-grounding"),
            measure=measure,
            provider="openai",
            name="judge-1",
            version=version,
        )


def test_weeks_of_a_replaced_judge_are_undecided_and_the_page_and_the_files_say_why(app, judged):
    judge_of("hallucination", "2026-08-01", NOW - timedelta(days=1))
    for back in range(2, 14):
        judged(back, 1195)
    for back in range(2):
        judged(back, 1100)
    assert rows(app)["2026-11-23"]["verdict"] == "fail" and "went from" in shown(app)
    later = NOW + timedelta(hours=1)
    judge_of("hallucination", "2026-11-01", later)
    why = "Judged before openai/judge-1, version 2026-11-01 became the judge"
    with clock.frozen(later):
        found = rows(app)
        assert {(row["state"], row["verdict"], row["why"]) for row in found.values()} == {
            ("undecided", "undecided", why)
        }
        page = shown(app)
        assert why in page and "14 undecided because of the judge" in page
        assert "went from" not in page  # Two judges are no change of the system.
        assert "8.3%" in shown(app, "?show=table")  # The figure stays.
        points = json.loads(visitor(app, "viewer").get(f"{PAGE}/series.json").text)["points"]
        assert {each["why"] for each in points if each["measure"] == "cost-per-request"} == {None}
        judged(0, 1196)
        assert rows(app)["2026-11-23"]["verdict"] == "pass"


def test_weeks_without_a_run_and_failed_runs_have_no_figure(app, judged):
    judged(3)
    judged(1)
    judged(1, outcome=RunOutcome.FAILED)
    found = rows(app)
    assert len(found) == 12
    assert {week: (row["state"], row["figure"]) for week, row in found.items() if row["run"]} == {
        "2026-11-02": ("fail", "0.05"),
        "2026-11-16": ("failed run", ""),
    }
    assert found["2026-11-09"]["state"] == "no run"
    table = shown(app, "?show=table")
    assert (table.count("5.0%"), table.count("failed run")) == (1, 7)


def test_the_filters_choose_release_measure_and_weeks(app, judged):
    judged(5, release="2026.9.3")
    judged(2, 1170, release="2026.11.2")
    releases = {week: row["release"] for week, row in rows(app).items() if row["release"]}
    assert releases == {"2026-10-19": "2026.9.3", "2026-11-09": "2026.11.2"}
    assert [row["release"] for row in rows(app, "?release=2026.9.3").values() if row["run"]] == [
        "2026.9.3"
    ]
    one = shown(app, "?measure=hallucination&weeks=26&suite=claims-grounding")
    assert one.count("<svg") < shown(app).count("<svg")
    assert "Cost per request is" not in one
    assert "No results match" in shown(app, "?release=none")
    assert "No results match" in shown(app, "?measure=none")


def test_a_system_without_runs_says_what_will_appear(app):
    assert "No evaluation results yet" in shown(app)
    assert rows(app) == {}


def test_the_file_has_changes_and_what_happened_beside_them(app, judged):
    for back in range(2, 14):
        judged(back, 1170, release="2026.9.3")
    for back in range(2):
        judged(back, 1120)
    with make.acting("admin"):
        incidents.declare(
            "Answers cite a withdrawn clause",
            severity=2,
            systems=[register.system("claims-triage").id],
            impact_from=NOW - timedelta(days=3),
        )
    facts = json.loads(visitor(app, "auditor").get(f"{PAGE}/series.json").data)
    assert (facts["system"], facts["tier"]) == ("claims-triage", "standard")
    (change,) = facts["changes"]
    assert (change["measure"], change["week"]) == ("hallucination", "2026-11-16")
    assert change["p_value"] < 0.05 / 5
    events = {event["text"]: event["day"] for event in facts["events"]}
    assert events["Release 2026.11.2, first run"] == "2026-11-16"
    assert "INC-1: Answers cite a withdrawn clause" in shown(app)


def test_weeks_keep_the_limits_that_judged_them_and_the_tier_of_today_is_named(app, judged):
    for back in range(3):
        judged(back, 1176)
    assert "limit 3.0%" in shown(app)
    assert {row["verdict"] for row in rows(app).values() if row["run"]} == {"undecided"}
    with make.acting("admin"):
        now = policies.current_policy()
        content = replace(now.content, tier="regulated")
        policy_actions.tighten_now(content, base=now.number, reason="A new product.")
    page = shown(app)
    assert "limit 3.0%" in page and "limit 1.0%" not in page
    assert "the tier is Regulated today" in page
    assert "Policy version 1 takes effect" in page
    assert {row["verdict"] for row in rows(app).values() if row["run"]} == {"undecided"}


def test_a_withdrawn_version_stays_visible_and_moves_no_change(app, judged):
    for back in range(2, 8):
        judged(back, 1170)
    for back in range(2):
        judged(back, 1000)
    assert "went from" in shown(app)
    with make.acting("admin"):
        suite = queries.suite("claims-grounding")
        suite_actions.withdraw(queries.version(suite.id), suite, reason="Half of the cases leaked.")
    assert "went from" not in shown(app)
    assert {row["state"] for row in rows(app).values() if row["run"]} == {"version withdrawn"}


def test_a_measure_that_counts_something_else_begins_another_series(app, judged):
    judged(3)
    with make.acting("admin"):
        suite = queries.suite("claims-grounding")
        version = suite_actions.draft(suite)
        suite_actions.set_measures(
            version,
            [
                suite_actions.MeasureInput(
                    key="hallucination",
                    name="Hallucinations per answer",
                    kind="mean",
                    unit="claims",
                    at_least=False,
                    limits=dict.fromkeys(TIERS, 1.0),
                )
            ],
        )
        suite_actions.publish(version, suite)
    judged(1, scores={"hallucination": (0.2, 500)})
    page = shown(app)
    assert "Hallucination is 5.0%" in page
    assert "Hallucinations per answer is 0.2 claims" in page
    assert "Claims grounding, version 2" in page


def test_a_neighbour_and_an_outsider_see_nothing(app, judged):
    judged(0)
    for path in (PAGE, f"{PAGE}/series.csv", f"{PAGE}/series.json"):
        visitor(app, "admin", "globex").get(path, then=404)
        visitor(app, "viewer").get(path.replace("claims-triage", "unknown"), then=404)


def test_two_years_of_twelve_measures_take_ten_statements(app, judged):
    keys = [f"measure-{n}" for n in range(12)]
    with make.acting("admin"):
        suite = queries.suite("claims-grounding")
        version = suite_actions.draft(suite)
        suite_actions.set_measures(
            version,
            [
                suite_actions.MeasureInput(
                    key=key,
                    name=key.capitalize(),
                    kind="rate",
                    unit="share",
                    at_least=True,
                    limits=dict.fromkeys(TIERS, 0.9),
                )
                for key in keys
            ],
        )
        suite_actions.publish(version, suite)
    for back in range(104):
        judged(back, scores=dict.fromkeys(keys, (950, 1000)))
    reader = visitor(app, "viewer")
    page = reader.get(PAGE).text
    assert page.count(" · 104 of 104 weeks") == 12
