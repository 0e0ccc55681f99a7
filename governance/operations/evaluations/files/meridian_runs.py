"""A run in Meridian's own small JSON, for teams whose tool writes no known format.

{"meridian_run": 1, "run": "ci-4711", "model": "…", "true_is": {"harmful-output": "bad"},
 "measures": [{"name", "n", "passed"}], "samples": [{"case", "scores"}]}

A file has measures, samples, or both. `samples` is the last member, so that it can be read as a
stream. Unknown members are rejected, so that a misspelled name is never ignored.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from governance.operations.evaluations.files.json_stream import head_of, items_of, members_of
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
from governance.operations.evaluations.series.weeks import instant

MARK = "meridian_run"
VERSION = 1
TOOL = "Meridian JSON"
MAX_MEASURES = 200
RUN = {
    MARK,
    "run",
    "tool",
    "tool_version",
    "model",
    "judges",
    "outcome",
    "problem",
    "started_at",
    "completed_at",
    "true_is",
    "measures",
    "samples",
}
MEASURE = {"name", "n", "passed", "mean", "deviation"}
SAMPLE = {"case", "repetition", "outcome", "source", "latency_ms", "cost", "scores"}


def read_document(path: Path) -> Iterator[EvaluationRecord]:
    """Read the document. Raises FileRefused."""
    _check_members(path)
    head = head_of(path)
    facts = _facts(head)
    yield facts
    if facts.outcome is not RunOutcome.COMPLETED:
        return
    measures = head.get("measures") or []
    if not isinstance(measures, list) or len(measures) > MAX_MEASURES:
        raise FileRefused("measures", f"Send a list of up to {MAX_MEASURES} measures.")
    for number, each in enumerate(measures, 1):
        yield _measure(each, f"measure {number}")
    for number, each in enumerate(items_of(path, "samples", "sample"), 1):
        yield _case(each, f"sample {number}")


def _check_members(path: Path) -> None:
    """Check that every member is known and unique, and that none follows the samples."""
    seen: list[str] = []
    for name in members_of(path):
        if name not in RUN:
            raise FileRefused(name[:40], _unknown("a run", RUN))
        if name in seen:
            raise FileRefused(name, "The member is there twice.")
        if "samples" in seen:
            raise FileRefused(name, "Write samples last: nothing is read after them.")
        seen.append(name)


def _facts(head: Mapping[str, Any]) -> RunFacts:
    if head.get(MARK) != VERSION or isinstance(head.get(MARK), bool):
        raise FileRefused(MARK, "Meridian reads version 1 of its own format.")
    outcome = head.get("outcome", RunOutcome.COMPLETED.value)
    if outcome not in list(RunOutcome):
        raise FileRefused("outcome", f"Write {', '.join(RunOutcome)}.")
    judges = head.get("judges") or []
    if not isinstance(judges, list) or not all(isinstance(each, str) for each in judges):
        raise FileRefused("judges", "Send a list of model names.")
    for name in ("started_at", "completed_at"):
        if head.get(name) is not None and instant(text_of(head[name])) is None:
            raise FileRefused(name, "Write an instant, such as 2026-11-26T09:14:00Z.")
    return RunFacts(
        tool=text_of(head.get("tool")) or TOOL,
        tool_version=text_of(head.get("tool_version")),
        run_id=text_of(head.get("run")),
        model=text_of(head.get("model")),
        outcome=RunOutcome(outcome),
        problem=text_of(head.get("problem")),
        started_at=text_of(head.get("started_at")),
        completed_at=text_of(head.get("completed_at")),
        judges=tuple(text_of(each) for each in judges),
        true_is=_true_is(head.get("true_is")),
    )


def _true_is(given: Any) -> Mapping[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or len(given) > MAX_MEASURES:
        raise FileRefused("true_is", "Send an object: good or bad for each name of a score.")
    for name, value in given.items():
        if value not in {"good", "bad"}:
            raise FileRefused(f"true_is, {name[:40]}", "Write good or bad.")
    return dict(given)


def _measure(given: Any, place: str) -> ReportedMeasure:
    measure = _object(given, place, "a measure", MEASURE)
    name = text_of(measure.get("name"))
    if not name:
        raise FileRefused(place, "The measure has no name.")
    place = f"{place} ({name})"
    n = count_of(measure.get("n"), place, "n")
    if "passed" in measure:
        passed = count_of(measure["passed"], place, "passed")
        if passed > n:
            raise FileRefused(place, f"{passed:,} passed of {n:,}: more than there are.")
        return ReportedMeasure(name, passed / n if n else 0.0, n, passed)
    mean, deviation = number_of(measure.get("mean")), number_of(measure.get("deviation"))
    if mean is None or deviation is None or deviation < 0:
        raise FileRefused(
            place, "Send passed, or mean and deviation (the standard deviation of the samples)."
        )
    return ReportedMeasure(name, mean, n, None, deviation)


def _case(given: Any, place: str) -> CaseRecord:
    sample = _object(given, place, "a sample", SAMPLE)
    name = text_of(sample.get("case"))
    if not name:
        raise FileRefused(place, "The sample has no case, which is its name.")
    place = f"{place} ({name})"
    if not isinstance(sample.get("scores", {}), Mapping):
        raise FileRefused(place, "“scores” is an object: a number or verdict for each measure.")
    outcome = sample.get("outcome", CaseOutcome.SCORED.value)
    if outcome not in list(CaseOutcome):
        raise FileRefused(place, f"“outcome” is {', '.join(CaseOutcome)}.")
    scores = {
        measure[:200]: score
        for measure, value in object_of(sample.get("scores")).items()
        if (score := score_of(value, f"{place}, {measure[:40]}")) is not None
    }
    is_scored = outcome == CaseOutcome.SCORED and scores
    return CaseRecord(
        case=name,
        repetition=count_of(sample.get("repetition", 1), place, "repetition"),
        outcome=CaseOutcome.SCORED
        if is_scored
        else CaseOutcome.FAILED
        if outcome == CaseOutcome.FAILED
        else CaseOutcome.UNSCORED,
        scores=scores if is_scored else {},
        source=text_of(sample.get("source")),
        latency_ms=number_of(sample.get("latency_ms")),
        cost=number_of(sample.get("cost")),
    )


def _object(given: Any, place: str, what: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise FileRefused(place, f"This isn't {what}: send an object.")
    if unknown := given.keys() - known:
        raise FileRefused(f"{place}, {min(unknown)[:40]}", _unknown(what, known))
    return given


def _unknown(what: str, known: set[str]) -> str:
    return f"{what.capitalize()} has no such member. It has {', '.join(sorted(known))}."
