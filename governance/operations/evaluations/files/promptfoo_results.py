"""Results of promptfoo: a JSON document of results version 3, or one result per line.

A result is a test case, a prompt and a provider. Its case is the test with its variables and the
prompt's label, so that the next run finds the same case at any place in the file.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from governance.operations.evaluations.files.json_lines import lines_of
from governance.operations.evaluations.files.json_stream import head_of, items_of
from governance.operations.evaluations.files.records import (
    CaseOutcome,
    CaseRecord,
    EvaluationRecord,
    FileRefused,
    RunFacts,
    number_of,
    object_of,
    score_of,
    text_of,
)

TOOL = "promptfoo"
RESULTS_VERSION = 3
ERROR = 2  # failureReason of a result without an answer to judge
MEASURE = "success"


def read_document(path: Path, model: str = "") -> Iterator[EvaluationRecord]:
    """Read the JSON document. `model` chooses one of several providers. Raises FileRefused."""
    head = head_of(path)
    results = object_of(head.get("results"))
    if results.get("version") != RESULTS_VERSION:
        found = text_of(results.get("version")) or "none"
        raise FileRefused("results.version", f"Meridian reads results version 3; this is {found}.")
    providers = list(
        dict.fromkeys(
            text_of(object_of(each).get("provider")) for each in results.get("prompts") or ()
        )
    )
    started = text_of(results.get("timestamp"))
    yield RunFacts(
        tool=TOOL,
        run_id=text_of(head.get("evalId")),
        model=_one_of(providers, model),
        started_at=started,
        completed_at=started,
    )
    yield from _cases(
        (
            (f"result {n}", row)
            for n, row in enumerate(items_of(path, "results.results", "result"), 1)
        ),
        model,
    )


def read_lines(path: Path, model: str = "") -> Iterator[EvaluationRecord]:
    """Read one result per line. Raises FileRefused."""
    providers: dict[str, None] = {}
    for _place, row in lines_of(path):
        providers.setdefault(_provider(row))
    yield RunFacts(tool=TOOL, model=_one_of(list(providers), model))
    yield from _cases(lines_of(path), model)


def _one_of(providers: list[str], model: str) -> str:
    known = [each for each in providers if each]
    if model:
        if model not in known:
            raise FileRefused(
                "provider", f"The file has no results of “{model}”, but of {', '.join(known)}."
            )
        return model
    if len(known) > 1:
        raise FileRefused(
            "provider",
            f"The file compares {', '.join(known)}. A run is of one: say which with its name.",
        )
    return known[0] if known else ""


def _provider(row: Mapping[str, Any]) -> str:
    given = row.get("provider")
    return text_of(given) if isinstance(given, str) else text_of(object_of(given).get("id"))


def _cases(rows: Iterable[tuple[str, Any]], model: str) -> Iterator[CaseRecord]:
    repetitions: dict[str, int] = {}
    for place, found in rows:
        row = object_of(found)
        if model and _provider(row) != model:
            continue
        success = row.get("success")
        if not isinstance(success, bool):
            raise FileRefused(place, "“success” is neither true nor false.")
        failed = row.get("failureReason") == ERROR or (not success and bool(_only_error(row)))
        case = _case_name(row)
        repetitions[case] = repetitions.get(case, 0) + 1
        tokens = number_of(object_of(row.get("tokenUsage")).get("total"))
        yield CaseRecord(
            case=case,
            repetition=repetitions[case],
            outcome=CaseOutcome.FAILED if failed else CaseOutcome.SCORED,
            scores={} if failed else {MEASURE: float(success)} | dict(_named_scores(row, place)),
            source=text_of(object_of(object_of(row.get("testCase")).get("metadata")).get("source")),
            latency_ms=number_of(row.get("latencyMs")),
            cost=number_of(row.get("cost")),
            tokens=int(tokens) if tokens else None,
        )


def _only_error(row: Mapping[str, Any]) -> Any:
    """Return the error of a row of an older version, which has no failureReason."""
    return row.get("error") if "failureReason" not in row and not row.get("gradingResult") else None


def _named_scores(row: Mapping[str, Any], place: str) -> Iterator[tuple[str, float]]:
    for name, value in object_of(row.get("namedScores")).items():
        number = score_of(value, f"{place}, {name}")
        if number is not None:
            yield text_of(name), number


def _case_name(row: Mapping[str, Any]) -> str:
    test = object_of(row.get("testCase"))
    variables = row.get("vars") or test.get("vars") or {}
    prompt = text_of(object_of(row.get("prompt")).get("label")) or text_of(row.get("promptId"))
    facts = [text_of(test.get("description")), variables, prompt]
    written = json.dumps(facts, sort_keys=True, ensure_ascii=True, default=str).encode()
    return hashlib.sha256(written).hexdigest()[:32]
