"""Pages of findings: list, open, close, map controls; and permissions."""

from datetime import timedelta

import pytest

from governance.assurance.controls import adoption_actions
from governance.assurance.controls import queries as controls
from governance.assurance.evaluation_findings import mapping_actions
from governance.assurance.frameworks import actions as adopting
from governance.kernel import clock
from tests import make
from tests.assurance.evaluation_findings.finding_helpers import (
    CONTROL,
    MISSES,
    NOW,
    PASSES,
    findings,
    run,
)
from tests.operations.evaluations.evaluation_helpers import published_suite, system


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        adopting.adopt_framework("nist-ai-rmf-1.0")
        adoption_actions.adopt([CONTROL], with_evidence=False)
        published_suite()
        system()
    with clock.frozen(NOW):
        yield


@pytest.fixture
def _mapped():
    from governance.operations.evaluations import queries as evaluations

    with make.acting("admin"):
        suite = evaluations.suite("claims-grounding")
        mapping_actions.map_measure(suite, "hallucination", control())


def control():
    (row,) = controls.find_controls([each[0] for each in controls.choices()])
    return row


def control_id():
    with make.acting("admin"):
        return control().id


def test_a_miss_is_seen_wherever_it_matters(_mapped, as_officer, as_viewer):
    assert "No open findings" in as_officer.get("evaluations/findings/").text
    run(MISSES, 1)
    (found,) = findings()
    path = f"evaluations/findings/{found.id}"
    assert "EVF-1" in as_viewer.get("evaluations/findings/").text
    text = as_officer.get(path).text
    assert "Hallucination misses its limit" in text and "4.6%" in text and CONTROL in text
    assert "Hallucination is 4.6% (3.2 to 6.4%), and the limit is ≤ 3.0%." in text
    text = as_officer.get(f"controls/{control_id()}").text
    assert "has missed its limit since 25 November 2026" in text and path in text
    assert "Evaluation failed" in text
    assert "3.2 to 6.4%" in text  # The evaluation behind the control.
    text = as_officer.get("frameworks/nist-ai-rmf-1.0/MEASURE-2.5").text
    assert "1 evaluation result behind it" in text and "3.2 to 6.4%" in text and path in text
    text = as_viewer.get("").text
    assert "Hallucination of claims-triage misses its limit" in text and path in text
    text = as_officer.get("inbox/").text
    assert "EVF-1: Hallucination of claims-triage misses its limit" in text
    history = as_officer.get("systems/claims-triage").text
    assert "EVF-1" in history and "finding of an evaluation 1" not in history
    assert "Close finding" not in as_viewer.get(path).text


def test_a_pass_is_offered_for_closing_and_the_note_is_shown(_mapped, as_officer, as_viewer):
    run(MISSES, 1, day=23)
    run(PASSES, 2)
    path = f"evaluations/findings/{findings()[0].id}"
    assert "passes again: close the finding" in as_officer.get("inbox/").text
    assert "A newer run passed." in as_officer.get(path).text
    as_viewer.post(f"{path}/close", then=403, note="x")
    assert "Enter what was done" in as_officer.post(f"{path}/close", then=422, note="").text
    as_officer.post(f"{path}/close", then=303, note="The flag of clause 14.3 is back.")
    text = as_viewer.get(path).text
    assert "The flag of clause 14.3 is back." in text and "Closed" in text
    assert "EVF-1" in as_viewer.get("evaluations/findings/?state=closed").text
    assert "EVF-1" not in as_officer.get("inbox/").text


def test_controls_are_mapped_by_an_officer_alone(as_officer, as_contributor):
    path = "evaluations/controls/claims-grounding"
    as_contributor.post(path, then=403, measure="hallucination", control_id=str(control_id()))
    answer = as_officer.post(path, then=422, measure="latency-p50", control_id=str(control_id()))
    assert "Choose one of the list." in answer.text
    as_officer.post(path, then=303, measure="hallucination", control_id=str(control_id()))
    assert CONTROL in as_contributor.get(path).text
    chosen = {"measure": "hallucination", "control_id": str(control_id())}
    as_contributor.post(f"{path}/remove", then=403, **chosen)
    as_officer.post(f"{path}/remove", then=303, **chosen)
    assert CONTROL not in as_contributor.get(path).text
    as_officer.post(f"{path}/proposed", then=303)
    assert as_contributor.get(path).text.count(f">{CONTROL}<") == 3
    assert ">3<" in as_officer.get("evaluations/controls/").text


def test_the_overview_draws_the_weeks_of_the_measure_beside_a_table(_mapped, as_officer):
    assert "misses its limit" not in as_officer.get("").text
    run(PASSES, 1, day=17)
    assert "No evaluation misses its limit" in as_officer.get("").text
    run(MISSES, 2)
    text = as_officer.get("").text
    assert "Hallucination of claims-triage misses its limit" in text
    assert "limit ≤ 3.0%" in text and "4.6%" in text and "no run" in text


def test_a_neighbour_finds_no_finding_and_no_suite(_mapped, as_neighbour):
    run(MISSES, 1)
    as_neighbour.get(f"evaluations/findings/{findings()[0].id}", then=404)
    as_neighbour.get("evaluations/controls/claims-grounding", then=404)
    assert "EVF-1" not in as_neighbour.get("evaluations/findings/").text
