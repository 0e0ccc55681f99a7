"""Reports of garak: JSON Lines with an `eval` for each probe and detector.

A probe tries to make the model misbehave; an output passes when the detector found nothing. One
case is one attempt of a probe, one measure its detector. Older reports have `total` instead of
`total_evaluated`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from governance.operations.evaluations.files.json_lines import lines_of
from governance.operations.evaluations.files.records import (
    CaseOutcome,
    CaseRecord,
    EvaluationRecord,
    FileRefused,
    ReportedMeasure,
    RunFacts,
    RunOutcome,
    count_of,
    object_of,
    score_of,
    text_of,
)

TOOL = "garak"
SCORED = 2  # Status of an attempt whose outputs were judged
THRESHOLD = 0.5  # An output with this detector score or a higher one counts as a hit.


def read_report(path: Path) -> Iterator[EvaluationRecord]:
    """Read a report, first for its run, then for its attempts. Raises FileRefused."""
    facts, threshold = _run(path)
    yield facts
    if facts.outcome is not RunOutcome.COMPLETED:
        return
    counts: dict[str, tuple[int, int]] = {}  # Outputs of each measure: passed, evaluated
    for place, entry in lines_of(path):
        kind = entry.get("entry_type")
        if kind == "attempt" and entry.get("status") == SCORED:
            for case in _attempt(entry, place, threshold):
                for name, score in case.scores.items():
                    passed, n = counts.get(name, (0, 0))
                    counts[name] = passed + int(score), n + 1
                yield case
        elif kind == "eval":
            measure = _evaluation(entry, place)
            _check_same(measure, counts.get(measure.name), place)
            yield measure


def _run(path: Path) -> tuple[RunFacts, float]:
    setup: Mapping[str, Any] = {}
    begin: Mapping[str, Any] = {}
    completion: Mapping[str, Any] = {}
    evaluations = 0
    for place, entry in lines_of(path):
        kind = entry.get("entry_type")
        if not isinstance(kind, str):
            raise FileRefused(place, "The line has no entry_type, so it isn't of a garak report.")
        if kind == "start_run setup":
            setup = entry
        elif kind == "init":
            begin = entry
        elif kind == "completion":
            completion = entry
        evaluations += kind == "eval"
    if not begin:
        raise FileRefused("", "The report has no init entry, so its run is unknown.")
    if not completion:
        raise FileRefused("", "The report has no completion entry: the run was interrupted.")
    if text_of(completion.get("run")) != text_of(begin.get("run")):
        raise FileRefused("", "The report begins with one run and ends with another.")
    threshold = setup.get("run.eval_threshold", THRESHOLD)
    facts = RunFacts(
        tool=TOOL,
        tool_version=text_of(begin.get("garak_version")),
        run_id=text_of(begin.get("run")),
        suite=TOOL,
        model=_target(setup),
        outcome=RunOutcome.COMPLETED if evaluations else RunOutcome.FAILED,
        problem="" if evaluations else "No probe was evaluated.",
        started_at=text_of(begin.get("start_time")),
        completed_at=text_of(completion.get("end_time")),
    )
    return facts, float(threshold) if isinstance(threshold, int | float) else THRESHOLD


def _target(setup: Mapping[str, Any]) -> str:
    parts = [
        text_of(setup.get(f"plugins.target_{part}")) or text_of(setup.get(f"plugins.model_{part}"))
        for part in ("type", "name")
    ]
    return "/".join(filter(None, parts))


def _attempt(entry: Mapping[str, Any], place: str, threshold: float) -> Iterator[CaseRecord]:
    case, probe = text_of(entry.get("uuid")), text_of(entry.get("probe_classname"))
    if not case:
        raise FileRefused(place, "The attempt has no uuid.")
    name = f"{probe}/{text_of(entry.get('seq'))}"
    results = object_of(entry.get("detector_results"))
    lengths = [len(each) for each in results.values() if isinstance(each, list)]
    for index in range(max(lengths, default=0)):
        scores = {}
        for detector, found in results.items():
            if isinstance(found, list) and index < len(found):
                hit = score_of(found[index], f"{place}, {detector}")
                if hit is not None:
                    scores[f"{probe}.{text_of(detector)}"[:200]] = float(hit < threshold)
        yield CaseRecord(
            case=name,
            repetition=index + 1,
            outcome=CaseOutcome.SCORED if scores else CaseOutcome.UNSCORED,
            scores=scores,
            source=probe,
        )


def _check_same(reported: ReportedMeasure, counted: tuple[int, int] | None, place: str) -> None:
    """Check that an eval entry matches the sum of its preceding attempts, if it has any."""
    if counted is None or counted == (reported.successes, reported.n):
        return
    raise FileRefused(
        f"{place}, {reported.name}",
        f"The eval entry says that {reported.successes} of {reported.n} outputs passed, and its"
        f" attempts in the report that {counted[0]} of {counted[1]} did. Send the report as garak"
        " wrote it.",
    )


def _evaluation(entry: Mapping[str, Any], place: str) -> ReportedMeasure:
    passed = count_of(entry.get("passed"), place, "passed")
    name = "total_evaluated" if "total_evaluated" in entry else "total"
    n = count_of(entry.get(name), place, name)
    if passed > n:
        raise FileRefused(place, f"{passed} outputs passed of {n} evaluated.")
    measure = f"{text_of(entry.get('probe'))}.{text_of(entry.get('detector'))}"[:200]
    return ReportedMeasure(measure, passed / n if n else 0.0, n, passed)
