"""Consequences of a run: a miss opens a finding and lowers controls; a pass becomes evidence.

Anything else does nothing.
"""

from datetime import timedelta

import pytest

from governance.assurance.controls import adoption_actions
from governance.assurance.controls import queries as controls
from governance.assurance.evaluation_findings import (
    consequence_actions,
    finding_actions,
    mapping_actions,
    queries,
)
from governance.assurance.frameworks import actions as adopting
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound
from governance.kernel.work import events
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.events import RunJudged
from governance.operations.evaluations.judges import actions as judge_actions
from governance.operations.evaluations.releases.promotion import promotion_verdict
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.evaluation_findings.finding_helpers import (
    CONTROL,
    MISSES,
    NOW,
    PASSES,
    UNDECIDED,
    findings,
    followed,
    judged_control,
    misses_of,
    run,
    serve,
    versions,
)
from tests.operations.evaluations.evaluation_helpers import drain, published_suite, system


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    """Let EVA-01 depend on the measure hallucination of the suite that evaluates claims-triage."""
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        adopting.adopt_framework("nist-ai-rmf-1.0")
        adoption_actions.adopt([CONTROL], with_evidence=False)
        suite = published_suite()
        system()
        mapping_actions.map_measure(suite, "hallucination", _control())
    with clock.frozen(NOW):
        yield


def _control():
    return next(c for c in controls.find_controls([row[0] for row in controls.choices()]))


def verdict(release="2026.11.2"):
    with make.acting("admin"):
        return promotion_verdict(register.system("claims-triage").id, release)


# ---- a miss


def test_a_miss_opens_a_finding_and_the_control_fails_with_the_reason():
    found = run(MISSES, 1)
    assert [(f.ref, f.measure, f.misses, f.is_open) for f in findings()] == [
        ("EVF-1", "hallucination", 1, True)
    ]
    assert followed(found).outcome == "missed" and versions() == []
    assert misses_of() == [
        "Hallucination of claims-triage has missed its limit since 25 November 2026."
    ]
    assert (judged_control().name, judged_control().word) == ("failing", "Evaluation failed")


def test_a_further_miss_is_counted_on_the_open_finding():
    run(MISSES, 1, day=23)
    serve("2026.11.3")
    run(MISSES, 2, release="2026.11.3")
    assert [(f.number, f.misses) for f in findings()] == [(1, 2)]


def test_an_undecided_measure_triggers_nothing_and_is_no_evidence():
    found = run(UNDECIDED, 1)
    assert findings() == [] and versions() == [] and misses_of() == []
    assert followed(found).outcome == "undecided"


def test_a_failed_run_has_no_consequences():
    found = run(MISSES, 1, status="error", error={"message": "The judge was unreachable"})
    assert findings() == []
    assert (followed(found).outcome, followed(found).why) == ("nothing", "The run has no results.")


def test_a_stale_run_has_no_consequences():
    found = run(MISSES, 1, day=2)
    assert findings() == []
    assert followed(found).why == "The run is older than 14 days."


def test_a_run_that_arrives_late_changes_nothing():
    run(PASSES, 1)
    late = run(MISSES, 2, day=23)
    assert findings() == []
    assert followed(late).why == "Run 1 is newer."


# ---- a pass


def test_a_pass_becomes_evidence_of_the_controls_once():
    found = run(PASSES, 1)
    assert versions() == [
        (
            "Evaluation of claims-triage: Claims grounding",
            "evaluation-claims-triage-run-1.csv",
            "evaluation",
        )
    ]
    assert followed(found).outcome == "passed"
    with make.acting("admin"):
        facts = controls.facts_of(_control().id, clock.now())
        assert [proof.title for proof in facts.proofs] == [versions()[0][0]]


def test_an_event_that_is_replayed_does_nothing_twice():
    passed, missed = run(PASSES, 1, day=23), run(MISSES, 2)
    for each in (passed, missed):
        with make.acting("admin"):
            events.publish(RunJudged(each.id, each.system_id, each.version_id, each.week))
    drain()
    assert len(versions()) == 1
    assert [(f.number, f.misses) for f in findings()] == [(1, 1)]


def test_the_filed_sheet_says_what_was_measured_of_how_many_and_where_the_run_is():
    found = run(PASSES, 1)
    with make.acting("admin"):
        row = evaluations.run(found.id)
        suite, version, triage = evaluations.about(row)
        results = [(r[0], r[1]) for r in evaluations.results_of([row.id])]
        from governance.assurance.evaluation_findings.sheet import passed_sheet

        text = passed_sheet(
            row, suite, version, triage, results, tier="standard", address="https://x/runs/1"
        ).decode("utf-8-sig")
    line = next(each for each in text.splitlines() if ",hallucination," in each)
    assert line.startswith(
        "claims-triage,2026.11.2,claims-grounding,1,1,2026-11-24,hallucination,0,0,"
    )
    assert line.endswith(f",1200,≤ 3.0%,standard,pass,{found.sha256},https://x/runs/1")


def test_a_pass_proposes_to_close_and_a_person_closes():
    run(MISSES, 1, day=23)
    serve("2026.11.3")
    run(PASSES, 2, release="2026.11.3")
    (found,) = findings()
    assert found.passed_run_id and found.is_open and misses_of()
    with make.acting("compliance_officer"):
        row = queries.finding(found.id)
        with pytest.raises(Invalid):
            finding_actions.close(row, note=" ")
        finding_actions.close(row, note="The index has the flag again.")
        finding_actions.close(row, note="Clicked twice.")
    (found,) = findings()
    assert (found.is_open, found.closing_note) == (False, "The index has the flag again.")
    assert misses_of() == []


def test_a_miss_after_a_pass_takes_the_proposal_back():
    run(MISSES, 1, day=22)
    run(PASSES, 2, day=23)
    run(MISSES, 3)
    (found,) = findings()
    assert (found.passed_run_id, found.misses) == (None, 2)


def test_a_measure_that_fails_again_after_closing_opens_another_finding():
    run(MISSES, 1, day=23)
    with make.acting("admin"):
        finding_actions.close(queries.finding(findings()[0].id), note="Repaired.")
    run(MISSES, 2)
    assert [(f.ref, f.is_open) for f in findings()] == [("EVF-1", False), ("EVF-2", True)]


# ---- retired objects


def test_a_retired_system_lowers_no_control_and_takes_no_consequences():
    run(MISSES, 1)
    with make.acting("admin"):
        systems.retire(register.system("claims-triage"), reason="Replaced.")
    with clock.frozen(NOW + timedelta(minutes=1)):
        assert misses_of() == []
    assert [r.kind for r in verdict().reasons] == ["retired"]


def test_a_run_of_a_version_that_was_withdrawn_meanwhile_has_no_consequences():
    found = run(MISSES, 1)
    with make.acting("admin"):
        from sqlalchemy import text

        suite = evaluations.suite("claims-grounding")
        suite_actions.withdraw(evaluations.version(suite.id), suite, reason="Cases leaked.")
        why = consequence_actions._why_nothing(evaluations.run(found.id), *evaluations.about(found))
        assert why == "The suite is out of use." and text
    assert [r.kind for r in verdict().reasons] == ["withdrawn"]


def test_a_retired_control_gets_no_evidence_and_no_failure():
    from governance.assurance.controls import actions

    with make.acting("admin"):
        actions.retire(_control(), reason="Merged.")
    found = run(PASSES, 1)
    assert versions() == [] and followed(found).outcome == "undecided"
    run(MISSES, 2, hour=12)
    assert len(findings()) == 1


# ---- promotion


def new_judge(version):
    with make.acting("admin"):
        judge_actions.register(
            evaluations.suite("claims-grounding"),
            measure="hallucination",
            provider="openai",
            name="judge-1",
            version=version,
        )


def test_figures_of_an_earlier_judge_pass_no_gate():
    run(PASSES, 1)
    new_judge("2026-08-01")
    assert "hallucination" not in {each.measure for each in verdict().reasons}
    with clock.frozen(NOW + timedelta(days=1)):
        new_judge("2026-11-01")
        reason = next(each for each in verdict().reasons if each.measure == "hallucination")
    assert reason.verdict == "undecided" and "became the judge" in reason.says


def test_a_release_is_clear_only_where_every_measure_passes():
    run(MISSES, 1)
    found = verdict()
    assert not found.is_clear
    first = found.reasons[0]
    assert (first.kind, first.measure, first.verdict) == ("measure", "hallucination", "fail")
    assert first.says == "Hallucination is 4.6% (3.2 to 6.4%), and the limit is ≤ 3.0%."
    assert {r.verdict for r in found.reasons[1:]} == {"undecided"}
    assert [r.kind for r in verdict("2026.11.9").reasons] == ["no run"]


def test_a_stale_run_and_an_old_version_pass_no_gate():
    run(PASSES, 1)
    with clock.frozen(NOW + timedelta(days=20)):
        assert [r.kind for r in verdict().reasons] == ["stale"]
    with make.acting("admin"):
        suite = evaluations.suite("claims-grounding")
        suite_actions.publish(suite_actions.draft(suite), suite)
    assert [r.kind for r in verdict().reasons] == ["old version"]


# ---- permissions


def test_a_viewer_closes_and_maps_nothing_and_a_neighbour_sees_nothing():
    run(MISSES, 1)
    (found,) = findings()
    with make.acting("viewer"):
        with pytest.raises(Forbidden):
            finding_actions.close(queries.finding(found.id), note="x")
        with pytest.raises(Forbidden):
            suite = evaluations.suite("claims-grounding")
            mapping_actions.map_measure(suite, "task-success", _control())
    assert findings("globex") == []
    with make.acting("admin", "globex"), pytest.raises(NotFound):
        queries.finding(found.id)


def test_a_signal_maps_to_no_control_and_the_same_mapping_is_one():
    with make.acting("admin"):
        suite = evaluations.suite("claims-grounding")
        with pytest.raises(Invalid, match="that decides"):
            mapping_actions.map_measure(suite, "latency-p50", _control())
        assert not mapping_actions.map_measure(suite, "hallucination", _control())
        assert mapping_actions.map_proposed(suite) == 2  # Task success and latency.
        mapping_actions.unmap_measure(suite, "hallucination", _control())
        assert [m for m, _ in queries.measure_controls(suite.id)] == ["latency-p95", "task-success"]
        session().flush()
    run(MISSES, 1)
    assert misses_of() == []


def test_a_system_that_was_never_evaluated_is_not_clear():
    with make.acting("admin"):
        other = system("other")
        assert [r.kind for r in promotion_verdict(other.id, "1").reasons] == ["no suite"]
        with pytest.raises(DomainError):
            promotion_verdict(make.person_id("admin"), "1")
