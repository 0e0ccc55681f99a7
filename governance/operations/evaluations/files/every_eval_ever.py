"""Aggregate results in the format of "Every Eval Ever", schemas 0.2 and 0.3.

The schemas are at https://github.com/evaleval/every_eval_ever.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import isclose, sqrt
from pathlib import Path
from typing import Any

from governance.operations.evaluations.files.json_stream import (
    head_of,
    items_of,
    members_of,
)
from governance.operations.evaluations.files.records import (
    EvaluationRecord,
    FileRefused,
    ReportedMeasure,
    RunFacts,
    count_of,
    number_of,
    object_of,
    text_of,
)

TOOL = "Every Eval Ever"
SCHEMAS = ("0.2.", "0.3.")
REQUIRED = ("evaluation_id", "model_info", "eval_library", "source_metadata")


def read_document(path: Path) -> Iterator[EvaluationRecord]:
    """Read the document. Raises FileRefused."""
    head = head_of(path)
    version = text_of(head.get("schema_version"))
    if not version.startswith(SCHEMAS):
        raise FileRefused(
            "schema_version", f"Meridian reads schemas 0.2 and 0.3; this is {version or 'none'}."
        )
    for name in REQUIRED:
        if not head.get(name):
            raise FileRefused(name, _why_missing(path, head, name))
    library, source = object_of(head["eval_library"]), object_of(head["source_metadata"])
    if source.get("source_type") != "evaluation_run":
        raise FileRefused(
            "source_metadata.source_type", "These are published figures, not those of a run."
        )
    started = _instant(
        text_of(head.get("evaluation_timestamp")) or text_of(head.get("retrieved_timestamp"))
    )
    model = object_of(head["model_info"])
    yield RunFacts(
        tool=text_of(library.get("name")) or TOOL,
        tool_version=text_of(library.get("version")),
        run_id=text_of(head["evaluation_id"]),
        model=text_of(model.get("id")) or text_of(model.get("name")),
        started_at=started,
        completed_at=started,
        judges=tuple(dict.fromkeys(_judges(path))),
    )
    found = 0
    for found, result in enumerate(items_of(path, "evaluation_results", "result"), 1):
        yield _measure(object_of(result), f"result {found}")
    if not found:
        raise FileRefused("evaluation_results", "The document has no result.")


def _instant(text: str) -> str:
    """Convert seconds since 1970, as the schema requires, to ISO 8601; keep other text."""
    try:
        return datetime.fromtimestamp(float(text), UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return text


def _why_missing(path: Path, head: Mapping[str, Any], name: str) -> str:
    if name in head:
        return "This member is empty."
    if name in members_of(path):
        return "This member comes after evaluation_results. Write it before them."
    return "The document doesn't have this member."


def _judges(path: Path) -> Iterator[str]:
    """Yield the models that scored a result."""
    for result in items_of(path, "evaluation_results", "result"):
        scoring = object_of(object_of(object_of(result).get("metric_config")).get("llm_scoring"))
        judges = scoring.get("judges")
        for judge in judges if isinstance(judges, list) else []:
            model = object_of(object_of(judge).get("model_info"))
            if name := text_of(model.get("id")) or text_of(model.get("name")):
                yield name


def _measure(result: Mapping[str, Any], place: str) -> ReportedMeasure:
    config, details = object_of(result.get("metric_config")), object_of(result.get("score_details"))
    name = text_of(result.get("evaluation_name"))
    if not name:
        raise FileRefused(place, "The result has no evaluation_name.")
    score = number_of(details.get("score"))
    if score is None:
        raise FileRefused(f"{place} ({name})", "The score isn't a number.")
    lower_is_better = config.get("lower_is_better")
    if not isinstance(lower_is_better, bool):
        raise FileRefused(f"{place} ({name})", "“lower_is_better” is neither true nor false.")
    metric = text_of(config.get("metric_id")) or text_of(config.get("metric_name"))
    spread = object_of(details.get("uncertainty"))
    n = spread.get("num_samples")
    count = None if n is None else count_of(n, f"{place} ({name})", "num_samples")
    return ReportedMeasure(
        name=f"{name}.{metric}"[:200] if metric else name,
        value=score,
        n=count,
        successes=_successes(score, count) if config.get("score_type") == "binary" else None,
        deviation=_deviation(spread, count),
        lower_is_better=lower_is_better,
    )


def _successes(score: float, n: int | None) -> int | None:
    """Return how many cases passed, if the rate is possible with n cases."""
    if not n or not 0 <= score <= 1:
        return None
    passed = round(score * n)
    return passed if isclose(passed / n, score, abs_tol=0.005 / n**0.5 + 1e-9) else None


def _deviation(spread: Mapping[str, Any], n: int | None) -> float | None:
    deviation = number_of(spread.get("standard_deviation"))
    error = number_of(object_of(spread.get("standard_error")).get("value"))
    if deviation is not None and deviation >= 0:
        return deviation
    return error * sqrt(n) if error is not None and error >= 0 and n else None
