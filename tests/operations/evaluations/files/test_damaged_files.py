"""Files that are cut off, too large, of another version, or say what no evaluation says."""

import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.operations.evaluations.files import inspect_logs
from governance.operations.evaluations.files.detection import read_file
from governance.operations.evaluations.files.records import (
    CaseOutcome,
    CaseRecord,
    FileRefused,
    ReportedMeasure,
    RunOutcome,
)
from tests.operations.evaluations.files.evaluation_files import (
    every_eval_ever,
    garak_report,
    inspect_log,
    inspect_sample,
    promptfoo_document,
    promptfoo_row,
    write_archive,
    write_json,
    write_lines,
)
from tests.quick_run import examples


def refusal(path, model=""):
    with pytest.raises(FileRefused) as refused:
        list(read_file(path, model))
    return str(refused.value)


def cases(path, model=""):
    return [each for each in read_file(path, model) if isinstance(each, CaseRecord)]


# ---- Inspect


def test_a_log_is_read_sample_by_sample(tmp_path):
    found = cases(write_json(tmp_path, inspect_log()))
    assert [(each.case, each.scores, each.latency_ms) for each in found] == [
        ("case-0", {"grounded": 0.0}, 500.0),
        ("case-1", {"grounded": 1.0}, 500.0),
        ("case-2", {"grounded": 1.0}, 500.0),
    ]


def test_a_failed_sample_is_not_a_zero(tmp_path):
    samples = [inspect_sample(0, "C"), inspect_sample(1, "I", error={"message": "timeout"})]
    found = cases(write_json(tmp_path, inspect_log(2, samples=samples)))
    assert [(each.outcome, each.scores) for each in found] == [
        (CaseOutcome.SCORED, {"grounded": 1.0}),
        (CaseOutcome.FAILED, {}),
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_nan_is_a_sample_without_a_score(tmp_path, value):
    samples = [inspect_sample(0, value), inspect_sample(1, "C", note="NaN within a text")]
    for path in (
        write_json(tmp_path, inspect_log(2, samples=samples)),
        write_archive(tmp_path, inspect_log(2, samples=samples)),
    ):
        found = cases(path)
        assert [each.outcome for each in found] == [CaseOutcome.UNSCORED, CaseOutcome.SCORED]


@pytest.mark.parametrize("text", ["true", "False", "yes", "good"])
def test_a_verdict_written_as_text_is_refused_with_its_place(tmp_path, text):
    samples = [inspect_sample(0, "C"), inspect_sample(1, text)]
    said = refusal(write_json(tmp_path, inspect_log(2, samples=samples)))
    assert said.startswith(f"sample 2 (case-1), grounded: The score is the text “{text}”")


def test_a_score_with_parts_has_a_measure_for_each(tmp_path):
    samples = [inspect_sample(0, {"quotes": "C", "tone": 0.25})]
    (found,) = cases(write_json(tmp_path, inspect_log(1, samples=samples)))
    assert found.scores == {"grounded.quotes": 1.0, "grounded.tone": 0.25}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": 1}, "version: Meridian reads log version 2; this is 1."),
        ({"version": None}, "version: Meridian reads log version 2; this is none."),
        ({"status": "started"}, "status: The run wasn't finished"),
        ({"status": "done"}, "status: “done” is no status"),
        ({"eval": {}}, "eval: The log doesn't say what was evaluated."),
        ({"samples": []}, "samples: The log names 3 samples and was written without them."),
        ({"samples": [inspect_sample(0, "C")]}, "samples: The log names 3 samples and holds 1."),
        ({"samples": [{"scores": {}}]}, "sample 1: The sample has no id."),
        ({"samples": [inspect_sample(0, "C", epoch=-1)]}, "sample 1: “epoch” is negative."),
        ({"samples": [inspect_sample(0, [1, 2])]}, "sample 1 (case-0), grounded: The score is nei"),
        ({"results": {"total_samples": 0}, "samples": []}, "samples: The log has no samples."),
        ({"results": {"total_samples": "3"}}, "results: “total_samples” isn't a whole number."),
    ],
)
def test_a_log_that_does_not_count_is_refused(tmp_path, changes, says):
    assert refusal(write_json(tmp_path, inspect_log(**changes))).startswith(says)


@pytest.mark.parametrize(
    ("status", "outcome"), [("error", RunOutcome.FAILED), ("cancelled", RunOutcome.CANCELLED)]
)
def test_a_failed_run_is_a_failed_run_whatever_it_scored(tmp_path, status, outcome):
    log = inspect_log(status=status, error={"message": "Out of credits"})
    for path in (write_json(tmp_path, log), write_archive(tmp_path, log)):
        facts, *rest = read_file(path)
        assert (facts.outcome, facts.problem) == (outcome, "Out of credits")
        assert not rest


def test_a_log_that_is_cut_off_says_after_which_sample(tmp_path):
    path = write_json(tmp_path, inspect_log(40))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    said = refusal(path)
    assert "after sample " in said
    assert "cut off" in said


@given(cut=st.floats(0, 0.999))
@settings(
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
def test_no_cut_of_any_file_is_read_as_a_whole(tmp_path, cut):
    paths = [
        write_json(tmp_path, inspect_log(5)),
        write_archive(tmp_path, inspect_log(5)),
        write_lines(tmp_path, garak_report()),
    ]
    for path in paths:
        content = path.read_bytes().rstrip()
        path.write_bytes(content[: int(len(content) * cut)])
        assert refusal(path)


@given(junk=st.binary(max_size=400))
@settings(
    max_examples=examples(200),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
def test_garbage_is_refused_and_never_breaks_the_reader(tmp_path, junk):
    path = tmp_path / "junk"
    for start in (b"", b'{"version": 2, "status": "success", ', b"PK\x03\x04", b'{"entry_type": '):
        path.write_bytes(start + junk)
        assert refusal(path)


def test_a_packed_bomb_is_refused_before_it_is_unpacked(tmp_path):
    log = inspect_log(1)
    bomb = write_archive(tmp_path, log, **{"samples/x_epoch_1.json": b" " * 30 * 1024**2})
    assert refusal(bomb).startswith("samples/x_epoch_1.json: The document is packed more than 200")
    large = write_archive(tmp_path, log, **{"samples/y_epoch_1.json": b" " * 65 * 1024**2})
    assert refusal(large).startswith("samples/y_epoch_1.json: The document unpacks to more than 64")


def test_a_header_that_lies_about_its_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(inspect_logs, "MAX_UNPACKED_BYTES", 500)
    assert refusal(write_archive(tmp_path, inspect_log(5))).startswith(
        "The archive unpacks to more"
    )


def test_an_archive_of_a_running_evaluation_is_refused(tmp_path):
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_journal/start.json", "{}")
    assert refusal(path).startswith("The run wasn't finished")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("workbook.xml", "{}")
    assert refusal(path) == "The archive has no header.json."


# ---- promptfoo


def test_an_error_of_a_provider_is_not_a_failed_case(tmp_path):
    rows = [promptfoo_row(0), promptfoo_row(1, success=False, failureReason=2)]
    for path in (write_json(tmp_path, promptfoo_document(rows)), write_lines(tmp_path, rows)):
        found = cases(path)
        assert [each.outcome for each in found] == [CaseOutcome.SCORED, CaseOutcome.FAILED]
        assert found[1].scores == {}


def test_a_file_of_two_providers_is_of_the_one_that_is_named(tmp_path):
    rows = [promptfoo_row(0), promptfoo_row(0, success=False, provider={"id": "anthropic:x"})]
    for path in (write_json(tmp_path, promptfoo_document(rows)), write_lines(tmp_path, rows)):
        assert "compares" in refusal(path)
        assert "no results of “mistral:x”" in refusal(path, "mistral:x")
        (found,) = cases(path, "anthropic:x")
        assert found.scores == {"success": 0.0}


def test_a_case_has_the_same_name_wherever_its_row_is(tmp_path):
    rows = [promptfoo_row(n) for n in range(5)]
    there = {each.case for each in cases(write_lines(tmp_path, rows))}
    back = {each.case for each in cases(write_lines(tmp_path, rows[::-1]))}
    assert there == back
    assert len(there) == 5


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (promptfoo_document([promptfoo_row(0)], version=2), "results.version: Meridian reads"),
        (promptfoo_document([promptfoo_row(0, success="true")]), "result 1: “success” is neither"),
        (
            promptfoo_document([promptfoo_row(0, namedScores={"tone": "high"})]),
            "result 1, tone: The score is the text “high”",
        ),
    ],
)
def test_a_promptfoo_document_that_does_not_count_is_refused(tmp_path, document, says):
    assert refusal(write_json(tmp_path, document)).startswith(says)


# ---- garak


def test_each_output_of_an_attempt_is_a_case(tmp_path):
    _facts, *records = read_file(write_lines(tmp_path, garak_report()))
    found = [each for each in records if isinstance(each, CaseRecord)]
    assert [(each.repetition, each.scores) for each in found] == [
        (1, {"dan.Dan.dan.DAN": 1.0}),
        (2, {"dan.Dan.dan.DAN": 0.0}),
    ]
    assert records[-1] == ReportedMeasure("dan.Dan.dan.DAN", 0.5, 2, 1)


def test_a_report_of_an_older_version_has_another_name_for_its_total(tmp_path):
    report = garak_report(total=2)
    del report[3]["total_evaluated"]
    assert list(read_file(write_lines(tmp_path, report)))[-1].n == 2


def test_nothing_evaluated_is_no_rate(tmp_path):
    last = list(read_file(write_lines(tmp_path, garak_report(passed=0, total_evaluated=0))))[-1]
    assert (last.n, last.successes) == (0, 0)


@pytest.mark.parametrize(
    ("report", "says"),
    [
        (garak_report()[:-1], "The report has no completion entry: the run was interrupted."),
        (garak_report()[2:], "The report has no init entry"),
        (garak_report(passed=3), "line 4: 3 outputs passed of 2 evaluated."),
        (garak_report(passed="1"), "line 4: “passed” isn't a whole number."),
        ([*garak_report(), {"x": 1}], "line 6: The line has no entry_type"),
        ([*garak_report()[:-1], {"entry_type": "completion", "run": "g-2"}], "The report begins"),
    ],
)
def test_a_garak_report_that_does_not_count_is_refused(tmp_path, report, says):
    assert refusal(write_lines(tmp_path, report)).startswith(says)


def test_a_report_without_an_evaluation_is_a_failed_run(tmp_path):
    report = [each for each in garak_report() if each["entry_type"] != "eval"]
    (facts,) = read_file(write_lines(tmp_path, report))
    assert (facts.outcome, facts.problem) == (RunOutcome.FAILED, "No probe was evaluated.")


# ---- Every Eval Ever


def test_a_binary_score_is_so_many_of_so_many(tmp_path):
    facts, measure = read_file(write_json(tmp_path, every_eval_ever()))
    assert (facts.tool, facts.model) == ("lm_eval", "openai/gpt-x")
    assert measure == ReportedMeasure("claims.accuracy", 0.93, 200, 186)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (
            every_eval_ever() | {"schema_version": "1.0"},
            "schema_version: Meridian reads schema 0.2",
        ),
        (every_eval_ever() | {"evaluation_results": []}, "evaluation_results: The document has no"),
        (
            every_eval_ever() | {"source_metadata": {"source_type": "documentation"}},
            "source_metadata.source_type: These are published figures",
        ),
        (
            every_eval_ever(score_details={"score": "0.9"}),
            "result 1 (claims): The score isn't a nu",
        ),
        (every_eval_ever(metric_config={"lower_is_better": "no"}), "result 1 (claims): “lower_is_"),
    ],
)
def test_a_document_that_does_not_count_is_refused(tmp_path, document, says):
    assert refusal(write_json(tmp_path, document)).startswith(says)


@pytest.mark.parametrize("content", [b"", b"   \n", b"[1, 2]", b"a,b\n1,2\n", b"%PDF-1.7", b"{}"])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert refusal(path)


def test_a_file_that_nests_deeply_is_refused_before_it_takes_memory(tmp_path):
    """Each level would cost the reader its whole path."""
    path, brackets = tmp_path / "deep.json", "[" * 100_000 + "]" * 100_000
    path.write_text('{"version": 2, "x": ' + brackets + "}")
    assert "levels deep" in refusal(path)
    log = json.dumps(inspect_log(2))
    path.write_text(log.replace('"samples": [', '"samples": [' + brackets + ","))
    assert "levels deep" in refusal(path)
    path.write_text(json.dumps({"entry_type": "init"}) + "\n" + "[" * 100_000)
    assert "isn't JSON" in refusal(path)
