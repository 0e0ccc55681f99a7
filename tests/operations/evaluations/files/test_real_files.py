"""The evaluation files of ../shared, each of which is read or rejected with a reason."""

from collections import Counter

import pytest

from governance.operations.evaluations.files.detection import read_file
from governance.operations.evaluations.files.records import (
    CaseOutcome,
    CaseRecord,
    FileRefused,
    ReportedMeasure,
    RunOutcome,
)

UNKNOWN = "The file is none that Meridian reads"
READ = {  # (tool, run, outcome, cases, sum of every score)
    "inspect/2025-05-12T20-28-13-04-00_no-samples.json": (
        "Inspect",
        "SnKtvCqGnnegLQ7qSBFDzy",
        RunOutcome.CANCELLED,
        0,
        0,
    ),
    "inspect/inspect-0.3.285-offline-demo.json": (
        "Inspect",
        "76UpkbpJaowx6tTQVGPfJt",
        RunOutcome.COMPLETED,
        2,
        1,
    ),
    "inspect/log_formats.eval": (
        "Inspect",
        "BpiPFmbVcMCRUAXv8ovCTx",
        RunOutcome.COMPLETED,
        1,
        0,
    ),
    "inspect/log_formats.json": (
        "Inspect",
        "BpiPFmbVcMCRUAXv8ovCTx",
        RunOutcome.COMPLETED,
        1,
        0,
    ),
    "promptfoo/promptfoo-0.121.20-echo-results.json": (
        "promptfoo",
        "eval-UD3-2026-11-24T22:43:33",
        RunOutcome.COMPLETED,
        4,
        4,
    ),
    "garak/quack.report.jsonl": (
        "garak",
        "d7ba0a51-5e01-4a2a-9fa5-65252fc53914",
        RunOutcome.COMPLETED,
        1,
        1,
    ),
    "garak/report_test.report.jsonl": (
        "garak",
        "32a5cc8c-6e1f-4c2a-b218-f16f65ab1359",
        RunOutcome.COMPLETED,
        8,
        8,
    ),
    "garak/test.report.jsonl": (
        "garak",
        "f0d4a5a6-b698-4e9e-9336-91b89194b72b",
        RunOutcome.COMPLETED,
        8,
        8,
    ),
}
REFUSED = {
    "inspect/EvalLog.schema.json": UNKNOWN,
    "inspect/SOURCE.txt": UNKNOWN,
    "inspect/log_tool_call_error.json": "samples: The log names 4 samples and holds 1.",
    "promptfoo/SOURCE.txt": UNKNOWN,
    "promptfoo/promptfoo-0.121.20-echo-results.csv": UNKNOWN,
    "promptfoo/promptfooconfig.yaml": UNKNOWN,
    "garak/SOURCE.txt": UNKNOWN,
}


@pytest.mark.parametrize("name", READ)
def test_a_real_file_is_read(shared_data, name):
    facts, *records = read_file(shared_data / name)
    cases = [each for each in records if isinstance(each, CaseRecord)]
    scores = sum(sum(each.scores.values()) for each in cases)
    assert (facts.tool, facts.run_id, facts.outcome, len(cases), scores) == READ[name]


@pytest.mark.parametrize("name", REFUSED)
def test_a_real_file_is_refused_with_its_reason(shared_data, name):
    with pytest.raises(FileRefused) as refused:
        list(read_file(shared_data / name))
    assert str(refused.value).startswith(REFUSED[name])


def test_every_file_of_the_three_tools_is_in_one_of_the_two_tables(shared_data):
    folders = [shared_data / tool for tool in ("inspect", "promptfoo", "garak")]
    there = {f"{folder.name}/{path.name}" for folder in folders for path in folder.iterdir()}
    assert there == READ.keys() | REFUSED.keys()


def test_both_forms_of_an_inspect_log_say_the_same(shared_data):
    archive = list(read_file(shared_data / "inspect/log_formats.eval"))
    document = list(read_file(shared_data / "inspect/log_formats.json"))
    assert archive == document


def test_inspects_own_accuracy_is_that_of_its_cases(shared_data):
    _facts, *records = read_file(shared_data / "inspect/inspect-0.3.285-offline-demo.json")
    scores = [each.scores["match"] for each in records if isinstance(each, CaseRecord)]
    (accuracy,) = (each for each in records if getattr(each, "name", "") == "match.accuracy")
    assert accuracy.value == sum(scores) / len(scores)


def test_promptfoos_own_counts_are_those_of_its_cases(shared_data):
    """Count 2 successes, 2 failures and 0 errors; both failures passed half of their assertions."""
    _facts, *cases = read_file(shared_data / "promptfoo/promptfoo-0.121.20-echo-results.json")
    assert Counter(each.scores["success"] for each in cases) == {1.0: 2, 0.0: 2}
    assert {each.outcome for each in cases} == {CaseOutcome.SCORED}
    assert len({each.case for each in cases}) == 4


@pytest.mark.parametrize("name", [each for each in READ if each.startswith("garak")])
def test_garaks_own_counts_are_those_of_its_attempts(shared_data, name):
    _facts, *records = read_file(shared_data / name)
    (reported,) = (each for each in records if isinstance(each, ReportedMeasure))
    scores = [
        each.scores[reported.name]
        for each in records
        if isinstance(each, CaseRecord) and reported.name in each.scores
    ]
    assert (len(scores), sum(scores)) == (reported.n, reported.successes)
