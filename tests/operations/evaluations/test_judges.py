"""Judges: registered models other than the judged one, with people's labels as a measure."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.operations.evaluations import queries
from governance.operations.evaluations.comparisons import comparing
from governance.operations.evaluations.judges import actions as judge_actions
from governance.operations.evaluations.judges import labels as judge_labels
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.judges.labels import LabelsRefused
from governance.operations.evaluations.judges.models import EvaluationJudge, JudgeLabel
from governance.operations.evaluations.series import this_week
from governance.operations.evaluations.statistics.paired import Direction
from governance.operations.evaluations.suites import actions as suite_actions
from tests import make
from tests.conftest import visitor
from tests.operations.evaluations.comparison_helpers import changed, log
from tests.operations.evaluations.evaluation_helpers import (
    judged,
    log_of,
    published_suite,
    system,
)

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
SUITE = "/t/acme/evaluations/suites/claims-grounding"


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with clock.frozen(NOW):
        with make.acting("admin"):
            published_suite()
            system()
        yield


def registered(version="2026-08-01", *, name="judge-1", measure="hallucination", role="admin"):
    with make.acting(role):
        judge = judge_actions.register(
            queries.suite("claims-grounding"),
            measure=measure,
            provider="openai",
            name=name,
            version=version,
        )
        session().flush()
        session().expunge(judge)
    return judge


def table(*rows, head="case,human,judge"):
    return "\n".join([head, *rows]).encode()


def labels(both_yes, only_people, only_judge, both_no):
    pairs = (
        [("pass", "pass")] * both_yes
        + [("pass", "fail")] * only_people
        + [("fail", "pass")] * only_judge
        + [("fail", "fail")] * both_no
    )
    return table(*(f"case-{n},{people},{judge}" for n, (people, judge) in enumerate(pairs)))


@pytest.fixture
def uploaded(as_admin):
    def upload(judge, content, *, then=303):
        return as_admin.post(
            f"/t/acme/evaluations/judges/{judge.id}/labels",
            then=then,
            file=(io.BytesIO(content), "labels.csv"),
        )

    return upload


def verdict(run):
    """Return the verdict and the note that the run page shows for hallucination."""
    with make.acting("viewer"):
        found = queries.run(run.id)
        suite, *_rest = queries.about(found)
        stale = judge_queries.stale([(found, suite.id)])
        cell = next(
            this_week.WeekCell(
                measure, found, result, "standard", (), stale.get((run.id, measure.key), "")
            )
            for result, measure in queries.results_of([run.id])
            if measure.key == "hallucination"
        )
        return cell.verdict, cell.note


# ---- registration


def test_a_judge_is_registered_for_a_measure_and_is_in_the_log(app):
    client = visitor(app, "compliance_officer")
    answer = client.post(
        f"{SUITE}/judges/new",
        measure="hallucination",
        provider="openai",
        name="judge-1",
        version="2026-08-01",
    )
    body = client.get(answer.location).text
    assert "openai/judge-1, version 2026-08-01" in body
    assert "Not calibrated" in body
    assert "openai/judge-1" in client.get(f"{SUITE}/judges/").text
    assert f"{SUITE}/judges/" in client.get(SUITE).text
    with make.acting("admin"):
        query = select(AuditEntry).where(AuditEntry.action == "evaluation.judge.registered")
        (entry,) = session().scalars(query)
        assert entry.facts["judge"] == "openai/judge-1, version 2026-08-01"


def test_a_viewer_registers_and_uploads_nothing(app):
    judge = registered()
    viewer = visitor(app, "viewer")
    viewer.get(f"{SUITE}/judges/new", then=403)
    viewer.get(f"/t/acme/evaluations/judges/{judge.id}/labels", then=403)
    assert "Upload labels" not in viewer.get(f"/t/acme/evaluations/judges/{judge.id}").text


@pytest.mark.parametrize("model", ["openai/gpt-x", "GPT-X", "azure:gpt-x"])
def test_the_evaluated_model_is_no_judge(model):
    judged(log_of(3, 0) | {})
    with pytest.raises(Invalid, match="no model judges itself"):
        registered(name=model.rpartition("/")[2].rpartition(":")[2])


def test_a_run_that_judged_itself_is_refused():
    run = judged(log(["C"] * 3, "self", judge="openai/gpt-x"))
    assert run.state == "refused"
    assert run.problem.startswith("openai/gpt-x judged its own answers")


def test_a_run_of_the_suites_judge_is_refused():
    registered(name="gpt-x")
    run = judged(log(["C"] * 3, "self"))
    assert run.state == "refused"
    assert "is the suite's judge" in run.problem


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"measure": "latency-p95"}, "measure"),
        ({"measure": "nothing"}, "measure"),
        ({"provider": " "}, "provider"),
        ({"name": ""}, "name"),
        ({"version": " "}, "version"),
    ],
)
def test_a_judge_without_measure_model_or_version_is_refused(changes, field):
    given = {"measure": "hallucination", "provider": "openai", "name": "j", "version": "1"}
    with make.acting("admin"), pytest.raises(Invalid) as refused:
        judge_actions.register(queries.suite("claims-grounding"), **(given | changes))
    assert refused.value.field == field


def test_the_same_judge_twice_is_refused_and_a_retired_suite_takes_none():
    registered()
    with pytest.raises(Invalid, match="is the judge already"):
        registered()
    with make.acting("admin"):
        suite_actions.retire(queries.suite("claims-grounding"), reason="Replaced.")
    with pytest.raises(DomainError, match="is retired"):
        registered("2026-09-01")


def test_a_neighbour_sees_no_judge(app):
    judge = registered()
    visitor(app, "admin", "globex").get(f"/t/globex/evaluations/judges/{judge.id}", then=404)
    with make.acting("admin", "globex"), pytest.raises(NotFound):
        judge_queries.judge(judge.id)
    with make.acting("admin", "globex"):
        assert session().scalar(select(func.count()).select_from(EvaluationJudge)) == 0


# ---- a change of judge


def test_a_change_of_judge_makes_its_figures_stale_and_undecided():
    registered()
    run = judged(log(["C"] * 400 + ["I"] * 100, "old"))
    assert verdict(run)[0] == "fail"
    with clock.frozen(NOW + timedelta(days=1)):
        registered("2026-11-01")
        assert verdict(run) == (
            "undecided",
            "Judged before openai/judge-1, version 2026-11-01 became the judge",
        )
        again = judged(log(["C"] * 401 + ["I"] * 100, "new"))
        assert verdict(again)[0] == "fail"


def test_the_page_of_an_ai_system_counts_a_stale_figure_as_undecided(app):
    this_week = {"completed_at": "2026-11-24T10:00:00+00:00"}
    registered()
    judged(log(["C"] * 400 + ["I"] * 100, "run", stats=this_week))
    page = visitor(app, "viewer").get("/t/acme/systems/claims-triage").text
    assert "the limit of hallucination is missed" in page
    with clock.frozen(NOW + timedelta(hours=1)):
        registered("2026-11-01")
        page = visitor(app, "viewer").get("/t/acme/systems/claims-triage").text
    assert "the limit of hallucination is missed" not in page and "undecided" in page


def test_a_run_that_names_another_judge_does_not_decide(app):
    registered()
    run = judged(log(["C"] * 400 + ["I"] * 100, "other", judge="mistral/large"))
    said, note = verdict(run)
    assert said == "undecided"
    assert note.startswith("Judged by mistral/large; the judge is openai/judge-1")
    assert note in visitor(app, "viewer").get(f"/t/acme/evaluations/runs/{run.id}").text
    named = judged(log(["C"] * 402 + ["I"] * 100, "same", judge="openai/judge-1-2026-08-01"))
    assert verdict(named)[0] == "fail"


def test_a_first_judge_leaves_earlier_figures_that_name_none():
    run = judged(log(["C"] * 400 + ["I"] * 100, "old"))
    with clock.frozen(NOW + timedelta(days=1)):
        registered()
    assert verdict(run)[0] == "fail"


def test_runs_of_two_judges_are_compared_and_nothing_is_decided():
    old, new = changed(171, 14, 3, 12)
    runs = (
        judged(log(old, "old", judge="openai/judge-1")),
        judged(log(new, "new", judge="openai/judge-2")),
    )
    with make.acting("viewer"):
        assert comparing.compare(runs[0].id, runs[1].id).verdict is Direction.UNDECIDED


# ---- labels


def test_labels_give_kappa_and_the_rate_that_people_would_have_found(app, uploaded):
    judge = registered()
    run = judged(log(["C"] * 160 + ["I"] * 40, "run"))
    uploaded(judge, labels(20, 5, 10, 15))
    body = visitor(app, "viewer").get(f"/t/acme/evaluations/judges/{judge.id}").text
    assert "Kappa 0.40, 0.15 to 0.65" in body
    assert "50 cases labelled by people" in body
    assert "Calibrated" in visitor(app, "viewer").get(f"{SUITE}/judges/").text
    page = visitor(app, "viewer").get(f"/t/acme/evaluations/runs/{run.id}").text
    assert "corrected for the judge's errors" in page
    with make.acting("viewer"):
        results = queries.results_of([run.id])
        suite = queries.suite("claims-grounding")
        _judge, rate = judge_queries.corrected_results(suite.id, results, {})["hallucination"]
    assert (rate.rate, rate.low <= rate.rate <= rate.high) == (0.0, True)


def test_the_corrected_rate_is_on_the_side_of_the_measure(uploaded):
    """Correct with sensitivity .9 and specificity .8.

    The judge passes 70%; people would pass (.7 − .2) ÷ .7.
    """
    judge = registered()
    run = judged(log(["C"] * 140 + ["I"] * 60, "run"))
    uploaded(judge, labels(90, 10, 20, 80))
    with make.acting("viewer"):
        suite, results = queries.suite("claims-grounding"), queries.results_of([run.id])
        _judge, rate = judge_queries.corrected_results(suite.id, results, {})["hallucination"]
    assert f"{rate.rate:.4f}" == f"{1 - 0.5 / 0.7:.4f}"
    assert rate.low < rate.rate < rate.high


def test_cases_of_labels_are_kept_by_digest_and_the_newest_set_counts(uploaded):
    judge = registered()
    uploaded(judge, labels(20, 5, 10, 15))
    with clock.frozen(NOW + timedelta(minutes=5)):
        uploaded(judge, labels(30, 0, 0, 30))
    with make.acting("viewer"):
        newest = judge_queries.newest_calibrations([judge.id])[judge.id]
        assert (newest.kappa, newest.labels.n) == (1.0, 60)
        digests = session().scalars(
            select(JudgeLabel.case_digest).where(JudgeLabel.calibration_id == newest.id)
        )
        assert {len(each) for each in digests} == {16}


def test_the_judge_of_a_failing_measure_is_beside_this_weeks_results(app, uploaded):
    """Correct a judge that passes 80% of 500: people would pass (.8 + .8 − 1) ÷ .7 of them."""
    judge = registered()
    this_week = {"completed_at": "2026-11-24T10:00:00+00:00"}
    judged(log(["C"] * 400 + ["I"] * 100, "run", stats=this_week))
    viewer = visitor(app, "viewer")
    assert "People haven't labelled any case" in viewer.get("/t/acme/evaluations/").text.replace(
        "&#39;", "'"
    )
    uploaded(judge, labels(90, 10, 20, 80))
    page = " ".join(viewer.get("/t/acme/evaluations/").text.split())
    assert "Judge and people agree: kappa 0.70" in page
    assert "on 200 labelled cases; 95% interval 0.60 to 0.80" in page
    assert "claims-triage 2026.11.2 is at 14.3% instead of 20.0%: still over 3.0%." in page
    assert "It passes 90.0% of what people pass, and fails 80.0% of what people fail." in page


def test_the_judges_of_all_suites_are_listed_with_what_is_stale(app, uploaded):
    uploaded(registered(), labels(20, 5, 10, 15))
    judged(log(["C"] * 40, "run"))
    viewer = visitor(app, "viewer")
    page = viewer.get("/t/acme/evaluations/judges/").text
    assert "openai/judge-1" in page and "0.15 to 0.65" in page and "Calibrated" in page
    assert "is stale" not in page
    with clock.frozen(NOW + timedelta(days=1)):
        registered("2026-11-01")
        page = visitor(app, "viewer").get("/t/acme/evaluations/judges/").text
    assert "version 2026-11-01" in page and "version 2026-08-01" not in page
    assert "Not calibrated" in page and "the newest figure of 1 AI system is stale" in page
    assert (
        "judge-1" not in visitor(app, "admin", "globex").get("/t/globex/evaluations/judges/").text
    )


def test_a_tenant_without_judges_is_told_where_they_are_registered(app):
    page = visitor(app, "viewer").get("/t/acme/evaluations/judges/").text
    assert "No judges yet" in page and "Open suites" in page


def test_the_list_of_judges_takes_the_same_statements_for_any_number(app, statements):
    registered()
    viewer = visitor(app, "viewer")
    viewer.get("/t/acme/evaluations/judges/")
    with statements() as few:
        viewer.get("/t/acme/evaluations/judges/")
    for measure in ("harmful-output", "task-success"):
        registered(measure=measure)
    with statements() as many:
        viewer.get("/t/acme/evaluations/judges/")
    assert len(many) <= len(few), "\n".join(many)


def test_one_label_for_every_case_gives_no_kappa(app, uploaded):
    judge = registered()
    uploaded(judge, labels(20, 0, 0, 0))
    assert "No kappa" in visitor(app, "viewer").get(f"/t/acme/evaluations/judges/{judge.id}").text


def test_a_replaced_judge_takes_no_labels(uploaded):
    judge = registered()
    registered("2026-11-01")
    answer = uploaded(judge, labels(1, 1, 1, 1), then=422)
    assert "the judge any more" in answer.text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty"),
        (b"  \n ", "The file is empty"),
        (table(), "no cases"),
        (b"\xff\xfe\x00", "UTF-8"),
        (table("a,pass,pass", head="case,judge"), "no column “human”"),
        (table('a,"pass,pass'), "isn&#39;t CSV"),
        (table("a,pass,pass", "b,NaN,pass"), "The human label “NaN” is neither pass nor fail."),
        (table("a,pass,maybe"), "The judge label “maybe” is neither pass nor fail."),
        (table("a,pass,1"), "The judge label “1” is neither pass nor fail."),
        (table("a,pass,pass", "a,fail,fail"), "The case a is in row 2 already."),
        (table(",pass,pass"), "The case is missing."),
        (table("a,,pass"), "The human label is missing."),
        (table(f"{'x' * 201},pass,pass"), "more than 200 characters"),
    ],
)
def test_a_file_that_is_no_labelled_set_is_refused_with_its_rows(content, says, uploaded):
    answer = uploaded(registered(), content, then=422)
    assert says in answer.text
    with make.acting("viewer"):
        assert session().scalar(select(func.count()).select_from(JudgeLabel)) == 0


def test_semicolons_and_capitals_are_read():
    found = judge_labels.read("Case;Human;Judge\nä;PASS;fail\n\n".encode("utf-8-sig"))
    assert [(each.case, each.people_pass, each.judge_passes) for each in found] == [
        ("ä", True, False)
    ]


def test_many_wrong_rows_are_counted_and_the_first_are_named():
    rows = [f"c{n},odd,pass" for n in range(50)]
    with pytest.raises(LabelsRefused, match="50 rows are wrong") as refused:
        judge_labels.read(table(*rows))
    assert len(refused.value.problems) == judge_labels.MAX_PROBLEMS
