"""Logs of Inspect AI: one JSON document, or an .eval archive with one document for each sample.

Log version 2, https://inspect.aisi.org.uk/eval-logs.html. A score is C, I, P, N, a number, or an
object of these; NaN is a sample without a score. Current archives use Zstandard, older ones
Deflate.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from governance.operations.evaluations.files.json_stream import head_of, items_of
from governance.operations.evaluations.files.records import (
    CaseOutcome,
    CaseRecord,
    EvaluationRecord,
    FileRefused,
    ReportedMeasure,
    RunFacts,
    RunOutcome,
    count_of,
    number_of,
    object_of,
    score_of,
    text_of,
)

if sys.version_info >= (3, 14):
    import zipfile

    from compression.zstd import ZstdError
else:
    from backports.zstd import ZstdError, zipfile

TOOL = "Inspect"
LOG_VERSION = 2
JUDGE_ROLE = "grader"
MODEL_GRADED = "model_graded"  # Scorers of Inspect that use a model
HEADER = "header.json"
SAMPLES = "samples/"
MIB = 1024 * 1024
MAX_MEMBER_BYTES = 64 * MIB
MAX_UNPACKED_BYTES = 4 * 1024 * MIB
MAX_RATIO = 200  # A sample's JSON compresses 5 to 100 times.
PACKED_BYTES = 4096  # Unpacked at a time: zipfile limits Deflate's output, not Zstandard's
OUTCOMES = {
    "success": RunOutcome.COMPLETED,
    "error": RunOutcome.FAILED,
    "cancelled": RunOutcome.CANCELLED,
}


def read_log(path: Path) -> Iterator[EvaluationRecord]:
    """Read a .json log. Raises FileRefused."""
    head = head_of(path)
    facts = _facts(head)
    yield facts
    yield from _reported(head)
    if facts.outcome is not RunOutcome.COMPLETED:
        return
    count = 0
    for count, sample in enumerate(items_of(path, "samples", "sample"), 1):
        yield from _case(object_of(sample), f"sample {count}")
    _check_complete(facts, count)


def read_archive(path: Path) -> Iterator[EvaluationRecord]:
    """Read an .eval archive, one sample at a time. Raises FileRefused."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _read_archive(archive)
    except NotImplementedError:
        raise FileRefused(
            "",
            "The archive is packed by a method that Meridian doesn't read. Save the log again with"
            " Inspect, which uses Zstandard or Deflate.",
        ) from None
    except (zipfile.BadZipFile, EOFError, RuntimeError, ZstdError, zipfile.LargeZipFile):
        raise FileRefused("", "The archive is cut off or isn't a ZIP file.") from None


def _read_archive(archive: zipfile.ZipFile) -> Iterator[EvaluationRecord]:
    members = archive.infolist()
    _check_sizes(members)
    names = {member.filename for member in members}
    if HEADER not in names:
        reason = "The run wasn't finished: the archive has no header.json."
        raise FileRefused(
            "", reason if "_journal/start.json" in names else f"The archive has no {HEADER}."
        )
    head = _document(archive, HEADER)
    facts = _facts(head)
    yield facts
    yield from _reported(head)
    if facts.outcome is not RunOutcome.COMPLETED:
        return
    samples = sorted(each for each in names if each.startswith(SAMPLES) and each.endswith(".json"))
    for name in samples:
        yield from _case(_document(archive, name), name)
    _check_complete(facts, len(samples))


def _check_complete(facts: RunFacts, count: int) -> None:
    planned = facts.cases_planned
    if planned is not None and count < planned:
        holds = f"holds {count}" if count else "was written without them"
        raise FileRefused("samples", f"The log names {planned} samples and {holds}.")
    if not count:
        raise FileRefused("samples", "The log has no samples.")


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    unpacked = 0
    for member in members:
        unpacked += member.file_size
        if member.file_size > MAX_MEMBER_BYTES:
            raise FileRefused(member.filename, "The document unpacks to more than 64 MB.")
        if member.file_size > MIB and member.file_size > MAX_RATIO * max(member.compress_size, 1):
            raise FileRefused(
                member.filename, "The document is packed more than 200 times, as no log is."
            )
    if unpacked > MAX_UNPACKED_BYTES:
        raise FileRefused("", "The archive unpacks to more than 4 GB. Split the run.")


def _document(archive: zipfile.ZipFile, name: str) -> Mapping[str, Any]:
    content = bytearray()
    with archive.open(name) as member:
        while piece := member.read(PACKED_BYTES):
            content += piece
            if len(content) > MAX_MEMBER_BYTES:
                raise FileRefused(name, "The document unpacks to more than 64 MB.")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise FileRefused(name, "The document isn't JSON.") from None
    if not isinstance(found, Mapping):
        raise FileRefused(name, "The document isn't a JSON object.")
    return found


def _facts(head: Mapping[str, Any]) -> RunFacts:
    version, status = head.get("version"), text_of(head.get("status"))
    if version != LOG_VERSION:
        raise FileRefused(
            "version", f"Meridian reads log version 2; this is {text_of(version) or 'none'}."
        )
    if status == "started":
        raise FileRefused("status", "The run wasn't finished when the log was written.")
    if status not in OUTCOMES:
        raise FileRefused("status", f"“{status}” is no status of a run.")
    about = object_of(head.get("eval"))
    if not about:
        raise FileRefused("eval", "The log doesn't say what was evaluated.")
    stats, results = object_of(head.get("stats")), object_of(head.get("results"))
    planned = results.get("total_samples")
    return RunFacts(
        tool=TOOL,
        tool_version=text_of(object_of(about.get("packages")).get("inspect_ai")),
        run_id=text_of(about.get("eval_id")) or text_of(about.get("run_id")),
        suite=text_of(about.get("task")),
        suite_version=text_of(about.get("task_version")),
        model=text_of(about.get("model")),
        outcome=OUTCOMES[status],
        problem=text_of(object_of(head.get("error")).get("message")),
        started_at=text_of(stats.get("started_at")) or text_of(about.get("created")),
        completed_at=text_of(stats.get("completed_at")),
        judges=tuple(dict.fromkeys(filter(None, _judges(about, results)))),
        cases_planned=None if planned is None else count_of(planned, "results", "total_samples"),
    )


def _judges(about: Mapping[str, Any], results: Mapping[str, Any]) -> Iterator[str]:
    """Yield the models that graded: those of the role, and those that a scorer names.

    A model-graded scorer that names none uses the model of its role, or else the evaluated model.
    """
    roles = object_of(about.get("model_roles"))
    yield _model_of(roles.get(JUDGE_ROLE))
    for scorer in [*_list_of(about.get("scorers")), *_list_of(results.get("scores"))]:
        entry = object_of(scorer)
        options = object_of(entry.get("options")) or object_of(entry.get("params"))
        given = options.get("model") or object_of(entry.get("metadata")).get("model")
        named = [_model_of(each) for each in (given if isinstance(given, list) else [given])]
        yield from named
        name = text_of(entry.get("scorer")) or text_of(entry.get("name"))
        if not any(named) and name.rpartition("/")[2].startswith(MODEL_GRADED):
            role = text_of(options.get("model_role")) or JUDGE_ROLE
            yield _model_of(roles.get(role)) or text_of(about.get("model"))


def _model_of(given: Any) -> str:
    return text_of(given) or text_of(object_of(given).get("model"))


def _list_of(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _reported(head: Mapping[str, Any]) -> Iterator[ReportedMeasure]:
    for score in object_of(head.get("results")).get("scores") or ():
        name = text_of(object_of(score).get("name"))
        for metric, found in object_of(object_of(score).get("metrics")).items():
            value = number_of(object_of(found).get("value"))
            if value is not None:
                yield ReportedMeasure(f"{name}.{text_of(metric)}", value)


def _case(sample: Mapping[str, Any], place: str) -> Iterator[CaseRecord]:
    name = text_of(sample.get("id"))
    if not name:
        raise FileRefused(place, "The sample has no id.")
    epoch = count_of(sample.get("epoch", 1), place, "epoch")
    seconds = number_of(sample.get("total_time"))
    usage = [object_of(each) for each in object_of(sample.get("model_usage")).values()]
    tokens = sum(int(number_of(each.get("total_tokens")) or 0) for each in usage)
    scores = {} if sample.get("error") else dict(_scores(sample, f"{place} ({name})"))
    outcome = CaseOutcome.SCORED if scores else CaseOutcome.UNSCORED
    yield CaseRecord(
        case=name,
        repetition=epoch,
        outcome=CaseOutcome.FAILED if sample.get("error") else outcome,
        scores=scores,
        source=text_of(object_of(sample.get("metadata")).get("source")),
        latency_ms=None if seconds is None else seconds * 1000,
        tokens=tokens or None,
    )


def _scores(sample: Mapping[str, Any], place: str) -> Iterator[tuple[str, float]]:
    given = sample.get("scores")
    if given is None and "score" in sample:
        given = {"score": sample["score"]}  # Logs of 2024 with one scorer have this member.
    for name, found in object_of(given).items():
        value = found.get("value") if isinstance(found, Mapping) else found
        parts = value.items() if isinstance(value, Mapping) else [("", value)]
        for part, each in parts:
            number = score_of(each, f"{place}, {name}")
            if number is not None:
                yield (f"{name}.{part}" if part else name)[:200], number
