"""Files that are cut off, too large, of another version, or that contain nonsense."""

import itertools
import json
import sys
import tracemalloc
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.operations.evaluations.files import inspect_logs
from governance.operations.evaluations.files.detection import UNKNOWN, read_file
from governance.operations.evaluations.files.json_depth import BracketDepth
from governance.operations.evaluations.files.records import (
    CaseOutcome,
    CaseRecord,
    FileRefused,
    ReportedMeasure,
    RunOutcome,
)
from tests.hypothesis_profiles import examples
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

if sys.version_info >= (3, 14):
    from compression import zstd

    zstd_zipfile = zipfile
else:
    from backports import zstd
    from backports.zstd import zipfile as zstd_zipfile


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
    max_examples=examples(25),
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
    max_examples=examples(60),
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


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, 93])
def test_an_archive_of_any_year_is_read(tmp_path, method):
    """Read both: Inspect packs with Zstandard, method 93, since 2026, and with Deflate before."""
    path = write_archive(tmp_path, inspect_log(3), method)
    with zipfile.ZipFile(path) as archive:
        assert {member.compress_type for member in archive.infolist()} == {method}
    assert [each.scores for each in cases(path)] == [
        {"grounded": 0.0},
        {"grounded": 1.0},
        {"grounded": 1.0},
    ]


def test_a_method_that_meridian_does_not_read_is_named_as_such(tmp_path):
    path = write_archive(tmp_path, inspect_log(1))
    path.write_bytes(path.read_bytes().replace(b"\x5d\x00", b"\x62\x00"))  # From 93 to 98, PPMd.
    assert refusal(path).startswith("The archive is packed by a method that Meridian doesn't read")


def test_a_zstandard_bomb_that_lies_about_its_size_unpacks_a_little_at_a_time(tmp_path):
    """Unpack in steps: a gigabyte of spaces is 32 kB, and its directory claims 1,000 bytes."""
    path, size = write_archive(tmp_path, inspect_log(1), 93), 1024**3
    packed = zstd.ZstdCompressor()
    with zstd_zipfile.ZipFile(path, "a", 93) as archive:
        archive.writestr("samples/bomb_epoch_1.json", b" " * 1000)
        member = archive.getinfo("samples/bomb_epoch_1.json")
    parts = [packed.compress(b" " * 1024**2) for _ in range(size // 1024**2)]
    bomb = b"".join([*parts, packed.flush()])
    content = path.read_bytes()
    start = member.header_offset + 30 + len(member.filename)
    was = content[start : start + member.compress_size]
    directory = content[start + member.compress_size :]
    grown = len(bomb) - len(was)
    directory = directory.replace(
        member.compress_size.to_bytes(4, "little") + (1000).to_bytes(4, "little"),
        len(bomb).to_bytes(4, "little") + (1000).to_bytes(4, "little"),
    )
    end = directory.rindex(b"PK\x05\x06") + 16
    offset = int.from_bytes(directory[end : end + 4], "little") + grown
    directory = directory[:end] + offset.to_bytes(4, "little") + directory[end + 4 :]
    path.write_bytes(content[:start] + bomb + directory)
    tracemalloc.start()
    try:
        assert refusal(path) == "samples/bomb_epoch_1.json: The document isn't JSON."
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 300 * 1024**2


@pytest.mark.parametrize(
    ("about", "judges"),
    [
        ({"scorers": [{"name": "match", "options": {}}]}, ()),
        (
            {"scorers": [{"name": "model_graded_fact", "options": {"model": "mockllm/judge"}}]},
            ("mockllm/judge",),
        ),
        (
            {"scorers": [{"name": "model_graded_qa", "options": {"model": ["a/one", "b/two"]}}]},
            ("a/one", "b/two"),
        ),
        ({"scorers": [{"name": "tone", "metadata": {"model": "a/one"}}]}, ("a/one",)),
        ({"scorers": [{"name": "inspect_ai/model_graded_qa"}]}, ("openai/gpt-x",)),
        (
            {
                "scorers": [{"name": "model_graded_qa", "options": {"model_role": "critic"}}],
                "model_roles": {"critic": {"model": "a/critic"}},
            },
            ("a/critic",),
        ),
        (
            {
                "scorers": [{"name": "model_graded_qa"}],
                "model_roles": {"grader": {"model": "a/grader"}},
            },
            ("a/grader",),
        ),
        ({"scorers": "model_graded_qa", "model_roles": ["grader"]}, ()),
    ],
)
def test_the_judges_are_those_that_the_scorers_name(tmp_path, about, judges):
    """Resolve a model-graded scorer without a model to the grader, or to the evaluated model."""
    log = inspect_log(1)
    log["eval"] |= about
    facts, *_rest = read_file(write_json(tmp_path, log))
    assert facts.judges == judges


def test_a_judge_that_only_the_results_name_is_found(tmp_path):
    """Read logs of 2025, which have no list of scorers."""
    score = {"name": "grade", "scorer": "model_graded_qa", "params": {"model": "mockllm/judge"}}
    results = {"total_samples": 1, "scores": [score]}
    facts, *_rest = read_file(write_json(tmp_path, inspect_log(1, results=results)))
    assert facts.judges == ("mockllm/judge",)


def test_a_failed_run_whose_traceback_is_full_of_brackets_is_a_failed_run(tmp_path):
    """Read a chunk that starts within a traceback, whose colors are written with brackets."""
    ansi = "\\[91m[[{\\" + '"' * 3
    error = {"message": "No network", "traceback": ansi * 50_000, "traceback_ansi": ansi * 50_000}
    facts, *rest = read_file(write_json(tmp_path, inspect_log(status="error", error=error)))
    assert (facts.outcome, facts.problem, rest) == (RunOutcome.FAILED, "No network", [])


def depth_of(value):
    inside = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        return 1 + max((depth_of(each) for each in inside), default=0)
    return 0


JSON_VALUES = st.recursive(
    st.none() | st.integers() | st.text('[]{}"\\a\n', max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('[{"\\', max_size=3), inner),
    max_leaves=20,
)


@given(value=JSON_VALUES, sizes=st.lists(st.integers(1, 12), min_size=1))
@settings(max_examples=examples(80), deadline=None)
def test_the_depth_is_the_same_however_the_text_is_cut(value, sizes):
    text, depth, place = json.dumps(value).encode(), BracketDepth(), 0
    for size in itertools.cycle(sizes):
        depth.feed(text[place : place + size])
        place += size
        if place >= len(text):
            break
    assert depth.deepest == depth_of(value)


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


def test_a_report_without_attempts_is_read_by_its_eval_entries(tmp_path):
    report = garak_report(passed=37, total_evaluated=50)
    del report[2]
    (_facts, measure) = read_file(write_lines(tmp_path, report))
    assert (measure.successes, measure.n) == (37, 50)


def test_a_report_of_an_older_version_has_another_name_for_its_total(tmp_path):
    report = garak_report(total=2)
    del report[3]["total_evaluated"]
    assert list(read_file(write_lines(tmp_path, report)))[-1].n == 2


def test_nothing_evaluated_is_no_rate(tmp_path):
    report = garak_report(passed=0, total_evaluated=0)
    report[2]["detector_results"] = {"dan.DAN": [None]}
    last = list(read_file(write_lines(tmp_path, report)))[-1]
    assert (last.n, last.successes) == (0, 0)


def test_an_output_that_no_detector_judged_is_not_evaluated(tmp_path):
    report = garak_report(total_evaluated=2)
    report[2]["detector_results"] = {"dan.DAN": [0.0, None, 1.0]}
    measure = list(read_file(write_lines(tmp_path, report)))[-1]
    assert (measure.successes, measure.n) == (1, 2)


@pytest.mark.parametrize(
    ("report", "says"),
    [
        (garak_report()[:-1], "The report has no completion entry: the run was interrupted."),
        (garak_report()[2:], "The report has no init entry"),
        (garak_report(passed=3), "line 4: 3 outputs passed of 2 evaluated."),
        (garak_report(passed="1"), "line 4: “passed” isn't a whole number."),
        (
            garak_report(passed=37, total_evaluated=50),
            "line 4, dan.Dan.dan.DAN: The eval entry says that 37 of 50 outputs passed, and its",
        ),
        (garak_report(passed=2), "line 4, dan.Dan.dan.DAN: The eval entry says that 2 of 2"),
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
    assert facts.completed_at == "2025-11-20T00:53:20+00:00"
    assert measure == ReportedMeasure("claims.accuracy", 0.93, 200, 186)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (
            every_eval_ever() | {"schema_version": "1.0"},
            "schema_version: Meridian reads schemas 0.2 and 0.3; this is 1.0.",
        ),
        (
            {k: v for k, v in every_eval_ever().items() if k != "eval_library"},
            "eval_library: The document doesn't have this member.",
        ),
        (every_eval_ever() | {"eval_library": {}}, "eval_library: This member is empty."),
        (
            {k: v for k, v in every_eval_ever().items() if k != "model_info"}
            | {"model_info": {"id": "x/y"}},
            "model_info: This member comes after evaluation_results. Write it before them.",
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


def test_a_document_of_schema_0_3_is_read_with_its_judges(tmp_path):
    """Read results with ids, bounds as text, and a metric that names the models that scored it."""
    judges = [{"model_info": {"name": "Judge", "id": "openai/judge", "additional_details": {}}}]
    config = {
        "metric_id": "accuracy",
        "lower_is_better": False,
        "score_type": "binary",
        "min_score": "-Infinity",
        "max_score": None,
        "llm_scoring": {"judges": judges, "input_prompt": "Grade it."},
    }
    document = every_eval_ever(metric_config=config, evaluation_result_id="claims#accuracy")
    facts, measure = read_file(write_json(tmp_path, document | {"schema_version": "0.3.0"}))
    assert (facts.tool, facts.model, facts.judges) == ("lm_eval", "openai/gpt-x", ("openai/judge",))
    assert measure == ReportedMeasure("claims.accuracy", 0.93, 200, 186)


@pytest.mark.parametrize(
    ("tool", "rows"),
    [
        (
            "lm-evaluation-harness",
            [{"results": {"arc": {"acc,none": 0.5}}, "configs": {"arc": {}}, "versions": {}}],
        ),
        (
            "lm-evaluation-harness",
            [{"doc_id": n, "resps": [], "filtered_resps": []} for n in range(2)],
        ),
        ("HELM", [{"adapter_spec": {"model": "x"}, "scenario_spec": {}, "name": "mmlu"}]),
        ("OpenAI Evals", [{"spec": {"eval_name": "match"}}, {"run_id": "1", "type": "match"}]),
    ],
)
def test_a_result_of_a_tool_that_meridian_does_not_read_is_named(tmp_path, tool, rows):
    said = refusal(write_lines(tmp_path, rows))
    assert f"This is a result of {tool}, which Meridian doesn't read. It reads an Ins" in said


@pytest.mark.parametrize("results", [{}, {"arc": {"acc": 0.5}}, [1, 2]])
def test_results_that_are_not_promptfoos_are_none_that_meridian_reads(tmp_path, results):
    assert refusal(write_json(tmp_path, {"results": results})).startswith(UNKNOWN)


@pytest.mark.parametrize("content", [b"", b"   \n", b"[1, 2]", b"a,b\n1,2\n", b"%PDF-1.7", b"{}"])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert refusal(path)


def test_a_file_that_nests_deeply_is_refused_before_it_takes_memory(tmp_path):
    """Reject it early: each level would cost the reader its complete path."""
    path, brackets = tmp_path / "deep.json", "[" * 100_000 + "]" * 100_000
    path.write_text('{"version": 2, "x": ' + brackets + "}")
    assert "levels deep" in refusal(path)
    log = json.dumps(inspect_log(2))
    path.write_text(log.replace('"samples": [', '"samples": [' + brackets + ","))
    assert "levels deep" in refusal(path)
    path.write_text(json.dumps({"entry_type": "init"}) + "\n" + "[" * 100_000)
    assert "isn't JSON" in refusal(path)
