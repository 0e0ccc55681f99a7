"""The comparison of two runs of one suite by case: the changed cases decide."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.evaluations import queries
from governance.operations.evaluations.comparisons import comparing
from governance.operations.evaluations.comparisons import views as comparison_views
from governance.operations.evaluations.judges import actions as judge_actions
from governance.operations.evaluations.judges.labels import LabelledCase
from governance.operations.evaluations.runs.case_digests import case_digest
from governance.operations.evaluations.statistics.paired import Direction
from governance.operations.evaluations.suites import actions as suite_actions
from tests import make
from tests.conftest import visitor
from tests.operations.evaluations.comparison_helpers import changed, log
from tests.operations.evaluations.evaluation_helpers import (
    drain,
    imported,
    judged,
    log_of,
    published_suite,
    system,
)
from tests.operations.evaluations.files.evaluation_files import inspect_sample

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
COMPARISONS = "/t/acme/evaluations/comparisons"


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with clock.frozen(NOW):
        with make.acting("admin"):
            published_suite()
            system()
        yield


@pytest.fixture
def two():
    """Return the design's example: 171 right in both, 14 worse, 3 better, 12 wrong in both."""
    old, new = changed(171, 14, 3, 12)
    return judged(log(old, "old")), judged(log(new, "new"), release="2026.12.0")


def found(old, new):
    with make.acting("viewer"):
        comparison = comparing.compare(old.id, new.id)
        session().expunge_all()
    return comparison


def grounded(old, new):
    return next(each for each in found(old, new).measures if each.key == "hallucination")


def path(old, new, query=""):
    return f"{COMPARISONS}/{old.id}/{new.id}{query}"


def test_14_worse_and_3_better_of_200_is_worse_although_the_intervals_overlap(two):
    each = grounded(*two)
    assert (each.pairs, each.paired.worse, each.paired.better) == (200, 14, 3)
    assert f"{each.paired.p_value:.4f}" == "0.0127"
    assert [round(value, 3) for value in (each.old, each.new)] == [0.075, 0.13]
    assert [f"{100 * value:.1f}" for value in (each.low, each.high)] == ["1.5", "9.5"]
    assert each.verdict is Direction.WORSE
    assert each.quadrants == {"both": 171, "only_old": 14, "only_new": 3, "none": 12}
    assert found(*two).verdict is Direction.WORSE


def test_the_other_way_round_it_is_better(two):
    each = grounded(*reversed(two))
    assert each.verdict is Direction.BETTER
    assert [f"{100 * value:.1f}" for value in (each.low, each.high)] == ["-9.5", "-1.5"]


def test_measures_are_corrected_for_each_other():
    """Double the p of 9 of 9 in one direction, .0039, when two measures changed."""
    with make.acting("admin"):
        version = suite_actions.draft(queries.suite("claims-grounding"))
        suite_actions.publish(version, queries.suite("claims-grounding"))
    logs = []
    for run, value in (("a", "C"), ("b", "I")):
        samples = [
            inspect_sample(
                n,
                value,
                scores={"grounded": {"value": value}, "harmless": {"value": "C" if n else value}},
            )
            for n in range(9)
        ]
        logs.append(log_of(9, 0, run=run, samples=samples))
    comparison = found(judged(logs[0]), judged(logs[1]))
    measures = {each.key: each for each in comparison.measures}
    assert f"{measures['hallucination'].paired.p_value:.4f}" == "0.0039"
    assert f"{measures['hallucination'].corrected:.4f}" == "0.0078"
    assert measures["hallucination"].verdict is Direction.WORSE
    assert measures["harmful-output"].verdict is Direction.UNDECIDED


def test_ten_of_ten_against_eight_of_ten_is_undecided_and_says_how_many_would_decide():
    old, new = changed(8, 2, 0, 0)
    each = grounded(judged(log(old, "old")), judged(log(new, "new")))
    assert each.verdict is Direction.UNDECIDED
    assert each.paired.p_value == 0.5
    assert each.more == 17


def test_cases_of_one_source_count_as_one():
    """Count twenty broken cases of one page as one change, which decides nothing."""
    old, new = changed(30, 20, 0, 0)
    sources = ["a", "b", "c"] * 10 + ["page 41"] * 20
    runs = [judged(log(each, name, sources=sources)) for name, each in (("o", old), ("n", new))]
    comparison, each = found(*runs), grounded(*runs)
    assert comparison.is_clustered
    assert (each.paired.worse, each.paired.clusters, each.paired.p_value) == (20, 1, 1.0)
    assert each.verdict is Direction.UNDECIDED


def test_many_sources_that_move_together_decide():
    old, new = changed(30, 60, 0, 0)
    sources = ["a"] * 30 + [f"page {n // 2}" for n in range(60)]
    runs = [judged(log(each, name, sources=sources)) for name, each in (("o", old), ("n", new))]
    each = grounded(*runs)
    assert each.paired.clusters == 30
    assert each.verdict is Direction.WORSE


def test_a_case_without_a_score_or_that_failed_is_no_pair():
    old = log(["C"] * 4, "old")
    new = log(["C"] * 4, "new")
    new["samples"][0]["error"] = {"message": "timeout"}
    new["samples"][1]["scores"]["grounded"]["value"] = float("nan")
    comparison = found(judged(old), judged(new))
    assert (comparison.cases.shared, comparison.cases.failed_new) == (4, 1)
    assert next(each for each in comparison.measures if each.key == "hallucination").pairs == 2


def test_cases_of_one_run_are_counted_and_named_and_not_compared():
    runs = judged(log(["C"] * 10, "old")), judged(log(["C"] * 10, "new", first=4))
    comparison = found(*runs)
    assert (comparison.cases.shared, comparison.cases.only_old, comparison.cases.only_new) == (
        6,
        4,
        4,
    )


def test_where_the_judges_differ_nothing_is_decided():
    old, new = changed(171, 14, 3, 12)
    runs = (
        judged(log(old, "old", judge="openai/judge-1")),
        judged(log(new, "new", judge="openai/judge-2")),
    )
    each = grounded(*runs)
    assert each.verdict is Direction.UNDECIDED
    assert each.note.startswith("Judged by openai/judge-1 before and openai/judge-2 now")


# ---- through the front door


def test_the_page_says_what_changed_and_lists_the_cases(app, two):
    viewer = visitor(app, "viewer")
    body = viewer.get(path(*two)).text
    assert "2026.12.0 is worse on 1 of " in body
    assert "Worse by 1.5 to 9.5 points" in body
    assert "17 changed cases: 14 broke, 3 were fixed" not in body
    assert "17 changed cases: 14 broke, 3 fixed" in body
    assert body.count('class="c-ref"') == 17
    worse = viewer.get(path(*two, "?measure=hallucination&result=worse")).text
    assert worse.count('class="c-ref"') == 14
    digest = case_digest("case-171").hex()
    assert f"{digest[:8]}…{digest[-4:]}" in worse
    better = viewer.get(path(*two, "?measure=hallucination&result=better")).text
    assert better.count('class="c-ref"') == 3


def test_the_list_of_cases_goes_on_behind_its_page(app):
    old, new = changed(0, 120, 0, 0)
    runs = judged(log(old, "old")), judged(log(new, "new"))
    viewer, seen, at = visitor(app, "viewer"), 0, path(*runs)
    while at:
        body = viewer.get(at).text
        seen += body.count('class="c-ref"')
        tail = (
            body.partition('rel="next"')[0].rpartition('href="')[2] if 'rel="next"' in body else ""
        )
        at = tail.partition('"')[0].replace("&amp;", "&").partition("#")[0]
    assert seen == 120


def test_cases_of_one_run_are_listed(app):
    runs = judged(log(["C"] * 10, "old")), judged(log(["C"] * 10, "new", first=4))
    body = visitor(app, "viewer").get(path(*runs, "?result=only-old")).text
    assert "4 cases only in the earlier run" in body
    assert body.count('class="c-ref"') == 4


def test_programs_read_the_same_figures(app, two):
    data = visitor(app, "viewer").get(path(*two, ".json")).json
    assert (data["verdict"], data["cases"]["shared"], data["test"]) == ("worse", 200, "exact")
    (each,) = (each for each in data["measures"] if each["key"] == "hallucination")
    assert (each["worse"], each["better"], each["verdict"]) == (14, 3, "worse")


def test_two_runs_of_the_list_are_compared_the_earlier_one_first(app, two):
    old, new = two
    viewer = visitor(app, "viewer")
    assert f'name="run" value="{old.id}"' in viewer.get("/t/acme/evaluations/runs/").text
    answer = viewer.get(f"{COMPARISONS}/new?run={new.id}&run={old.id}", then=303)
    assert answer.location.endswith(f"/{old.id}/{new.id}")


def test_a_run_links_to_its_comparison(app, two):
    old, new = two
    viewer = visitor(app, "viewer")
    link = f"/t/acme/evaluations/comparisons/new?run={new.id}"
    assert link in viewer.get(f"/t/acme/evaluations/runs/{new.id}").text
    body = viewer.get(link).text
    assert f'<option value="{old.id}" selected>' in body
    answer = viewer.get(f"{COMPARISONS}/new?old={old.id}&new={new.id}", then=303)
    assert answer.location.endswith(f"/{old.id}/{new.id}")


def test_one_run_of_the_list_asks_for_another(app, two):
    assert "Select two runs." in visitor(app, "viewer").get(f"{COMPARISONS}/new?run=").text


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?measure=nothing", "no cases of that measure"),
        ("?result=odd", "Choose one of the results"),
        ("?after=bent", "This link can"),
    ],
)
def test_an_address_that_means_nothing_is_refused(app, two, query, says):
    assert says in visitor(app, "viewer").get(path(*two, query), then=422).text


# ---- labels by people


def labelled(*cases):
    """Register the judge of hallucination, with people's labels of these cases."""
    with make.acting("admin"):
        suite = queries.suite("claims-grounding")
        judge = judge_actions.register(
            suite, measure="hallucination", provider="openai", name="judge-1", version="1"
        )
        judge_actions.calibrate(
            judge, suite, [LabelledCase(*each) for each in cases], filename="a.csv", sha256="0" * 64
        )


def test_people_agree_disagree_or_labelled_another_answer(app):
    """Break cases 0 to 2: people agree, people pass the new answer, the label is outdated."""
    old, new = changed(0, 4, 0, 0)
    runs = judged(log(old, "old")), judged(log(new, "new"))
    viewer = visitor(app, "viewer")
    assert viewer.get(path(*runs)).text.count("not labelled") == 4
    labelled(("case-0", False, False), ("case-1", True, False), ("case-2", True, True))
    body = viewer.get(path(*runs)).text
    assert (body.count("Agrees"), body.count("Disagrees"), body.count("not labelled")) == (1, 1, 2)
    assert "Human label" not in viewer.get(path(*runs, "?result=only-old")).text


# ---- the cases as a file


def rows_of(reply):
    return list(csv.DictReader(io.StringIO(reply.get_data().decode("utf-8-sig"))))


def test_the_cases_are_exported_as_the_list_is_filtered(app, two):
    labelled(("case-171", True, False))
    viewer = visitor(app, "viewer")
    link = path(*two, ".csv?measure=hallucination&amp;result=worse")
    assert link in viewer.get(path(*two, "?measure=hallucination&result=worse")).text
    worse = rows_of(viewer.get(path(*two, ".csv?measure=hallucination&result=worse")))
    assert len(worse) == 14 and {each["result"] for each in worse} == {"worse"}
    said = {each["case"]: each["human_label"] for each in worse}
    assert said.pop(case_digest("case-171").hex()) == "disagrees"
    assert set(said.values()) == {""}
    assert len(rows_of(viewer.get(path(*two, ".csv")))) == 17


def test_every_page_of_the_list_is_in_the_file_and_a_formula_stays_text(app, monkeypatch):
    monkeypatch.setattr(comparison_views, "ROWS_PER_READ", 50)
    old, new = changed(0, 120, 0, 0)
    sources = ["=1+1"] * 120
    runs = [judged(log(each, name, sources=sources)) for name, each in (("o", old), ("n", new))]
    found = rows_of(visitor(app, "viewer").get(path(*runs, ".csv")))
    assert len({each["case"] for each in found}) == 120
    assert {each["source"] for each in found} == {"'=1+1"}


def test_cases_of_one_run_are_exported_and_a_neighbour_gets_no_file(app):
    runs = judged(log(["C"] * 10, "old")), judged(log(["C"] * 10, "new", first=4))
    lone = rows_of(visitor(app, "viewer").get(path(*runs, ".csv?result=only-new")))
    assert [each["outcome"] for each in lone] == ["scored"] * 4
    neighbour = visitor(app, "admin", "globex")
    neighbour.get(path(*runs, ".csv").replace("acme", "globex"), then=404)
    visitor(app, "viewer").get(path(*runs, ".csv?result=odd"), then=422)


# ---- runs that aren't compared


def refused(app, old, new):
    return visitor(app, "viewer").get(path(old, new), then=422).text


def test_a_run_with_itself_is_refused(app, two):
    assert "the same run twice" in refused(app, two[0], two[0])


def test_runs_of_two_suites_are_refused(app, two):
    with make.acting("admin"):
        other = published_suite("other")
        run_id = imported(log(["C"] * 4, "other"), other, system("other-system")).id
    drain()
    with make.acting("admin"):
        run = queries.run(run_id)
        assert run.state == "judged"
        text = refused(app, two[0], run)
    assert "Choose two runs of one suite" in text


def test_runs_without_a_shared_case_are_refused(app):
    runs = judged(log(["C"] * 5, "old")), judged(log(["C"] * 5, "new", first=50))
    assert "have no case in common" in refused(app, *runs)


def test_runs_of_a_withdrawn_version_are_refused(app, two):
    with make.acting("admin"):
        suite = queries.suite("claims-grounding")
        suite_actions.withdraw(queries.version(suite.id), suite, reason="Half of it leaked.")
    assert "Half of it leaked." in refused(app, *two)


def test_a_refused_run_and_a_failed_run_are_not_compared(app, two):
    assert "was refused, so it has no cases" in refused(app, two[0], judged(b"no log"))
    failed = judged(log(["C"] * 5, "failed", status="error", error={"message": "Down"}))
    assert "failed, so its cases don" in refused(app, two[0], failed)


def test_a_neighbours_run_does_not_exist(app, two):
    neighbour = visitor(app, "admin", "globex")
    neighbour.get(path(*two).replace("acme", "globex"), then=404)
    neighbour.get(path(*two, ".json").replace("acme", "globex"), then=404)


# ---- real logs


def test_two_real_logs_of_inspect_are_compared_by_its_sample_ids(app, shared_data):
    """Compare Inspect's own log with the same evaluation after sample b was answered right."""
    content = (shared_data / "inspect/inspect-0.3.285-offline-demo.json").read_bytes()
    again = json.loads(content)
    again["eval"]["eval_id"] = "again"
    for sample in again["samples"]:
        sample["scores"]["match"]["value"] = "C"
    runs = judged(content), judged(again, release="2026.12.0")
    each = next(each for each in found(*runs).measures if each.key == "task-success")
    assert (each.pairs, each.paired.better, each.paired.worse) == (2, 1, 0)
    assert (each.old, each.new, each.verdict) == (0.5, 1.0, Direction.UNDECIDED)
    assert case_digest("b").hex()[:8] in visitor(app, "viewer").get(path(*runs)).text


def test_two_real_logs_of_other_cases_are_not_compared(app, shared_data):
    names = ("inspect-0.3.285-offline-demo.json", "log_formats.eval")
    runs = [judged((shared_data / "inspect" / name).read_bytes()) for name in names]
    assert "have no case in common" in refused(app, *runs)
