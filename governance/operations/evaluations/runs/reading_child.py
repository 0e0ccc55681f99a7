"""The child process that reads and judges a run. It gets its orders as JSON on stdin.

It prints lines of JSON: {"cases": 5000} while it reads, then {"run": …, "measures": […]} or
{"place": …, "problem": …}. The cases are written for COPY to a file next to the input.
It loads SciPy only to judge a mean.
"""

import json
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

from governance.operations.evaluations.files.detection import read_file
from governance.operations.evaluations.files.records import (
    CaseOutcome,
    CaseRecord,
    EvaluationRecord,
    FileRefused,
    ReportedMeasure,
    RunFacts,
)
from governance.operations.evaluations.files.summary import RunSummary, summarise
from governance.operations.evaluations.runs.case_digests import case_digest
from governance.operations.evaluations.runs.judging import JudgedMeasure, MeasureRule, judge_run
from governance.operations.evaluations.runs.polarity import (
    check_used,
    polarity,
    rules_by_name,
    turned,
)
from governance.operations.evaluations.series.weeks import monday_of, ran_at

CASES_FILE = "cases.copy"
REPORTED_EVERY = 5_000  # cases
OUTCOMES = {CaseOutcome.SCORED: 0, CaseOutcome.FAILED: 1, CaseOutcome.UNSCORED: 2}
MAX_REPETITION = 32_767  # Maximum of a smallint
MAX_NUMBER = 1e30  # Maximum that fits into a real


def main(orders: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the lines to print."""
    path = Path(orders["path"])
    rules = [MeasureRule(**each) for each in orders["rules"]]
    try:
        read_as: dict[str, str] = {}
        summary = yield from _read(path, orders, rules, read_as)
        look = _look(summary, orders)
        judged = judge_run(summary, rules, look=look)
    except FileRefused as refused:
        yield {"place": refused.place, "problem": refused.reason}
        return
    facts = _run(summary) | {"look": look, "read_as": read_as}
    yield {"run": facts, "measures": [_measure(each) for each in judged]}


def _look(summary: RunSummary, orders: Mapping[str, Any]) -> int:
    """Return this run's number among its week's runs of the same system, version and release."""
    ran = ran_at(summary.facts.completed_at, summary.facts.started_at)
    day = ran.date() if ran else date.fromisoformat(orders["today"])
    return int(orders["looks"].get(monday_of(day).isoformat(), 0)) + 1


def _read(
    path: Path, orders: Mapping[str, Any], rules: list[MeasureRule], read_as: dict[str, str]
) -> Generator[dict[str, Any], None, RunSummary]:
    names = [rule.names for rule in rules]
    seen: set[bytes] = set()
    with (path.parent / CASES_FILE).open("w", encoding="utf-8") as copied:
        records = _as_counted(read_file(path, orders["model"]), rules, read_as)
        for record in summarise(records):
            if isinstance(record, RunSummary):
                return record
            digest = case_digest(record.case)
            _check_storable(record)
            _check_once(seen, digest, record)
            copied.write(_line(digest, record, names))
            if len(seen) % REPORTED_EVERY == 0:
                yield {"cases": len(seen)}
    raise TypeError("a summary ends every run")


def _as_counted(
    records: Iterator[EvaluationRecord], rules: list[MeasureRule], read_as: dict[str, str]
) -> Iterator[EvaluationRecord]:
    """Yield the records with their scores as the measures count them.

    Stores in `read_as` the meaning of true under each name; only Meridian's own JSON leaves it
    open.
    """
    facts = next(records)
    yield facts
    if not isinstance(facts, RunFacts) or facts.true_is is None:
        yield from records
        return
    by_name, stated = rules_by_name(rules), facts.true_is
    check_used(stated, by_name)
    for record in records:
        if isinstance(record, CaseRecord):
            for name in record.scores.keys() & by_name.keys() - read_as.keys():
                read_as[name] = polarity(stated, name, by_name[name])
            yield replace(record, scores=turned(record.scores, read_as, by_name))
        elif isinstance(record, ReportedMeasure) and record.successes is None:
            yield _turned_mean(record, by_name, stated, read_as)
        else:
            yield record


def _turned_mean(
    given: ReportedMeasure,
    by_name: Mapping[str, MeasureRule],
    stated: Mapping[str, str],
    read_as: dict[str, str],
) -> ReportedMeasure:
    if given.name not in by_name:
        return given
    read_as[given.name] = polarity(stated, given.name, by_name[given.name])
    return replace(given, value=turned({given.name: given.value}, read_as, by_name)[given.name])


def _check_storable(case: CaseRecord) -> None:
    if case.repetition > MAX_REPETITION:
        raise FileRefused(
            f"case {case.case}", f"A case is repeated {MAX_REPETITION:,} times at most."
        )
    numbers = (*case.scores.values(), case.latency_ms or 0.0, case.cost or 0.0)
    if max(numbers) > MAX_NUMBER or min(numbers) < -MAX_NUMBER:
        raise FileRefused(f"case {case.case}", "One of its numbers is too large.")


def _check_once(seen: set[bytes], digest: bytes, case: CaseRecord) -> None:
    key = digest[:8] + case.repetition.to_bytes(4)
    if key in seen:
        raise FileRefused(f"case {case.case}", "The case is in the file twice.")
    seen.add(key)


def _line(digest: bytes, case: CaseRecord, names: list[Any]) -> str:
    """Format the case for COPY; a measure without a score has NaN."""
    given = case.scores
    scores = (
        ",".join([_score(given, each) for each in names])
        if given
        else ",".join(["NaN"] * len(names))
    )
    return (
        f"\\\\x{digest.hex()}\t{case.repetition}\t{OUTCOMES[case.outcome]}\t{_escaped(case.source)}"
        f"\t{_number(case.latency_ms)}\t{_number(case.cost)}\t{{{scores}}}\n"
    )


def _score(scores: Mapping[str, float], names: Sequence[str]) -> str:
    for name in names:
        if name in scores:
            return repr(scores[name])
    return "NaN"


def _escaped(text: str) -> str:
    plain = text if text.isprintable() else "".join(c for c in text if c.isprintable())
    return plain.replace("\\", "\\\\")


def _number(value: float | None) -> str:
    return r"\N" if value is None else repr(value)


def _run(summary: RunSummary) -> dict[str, Any]:
    counts = {"cases": summary.cases, "failed": summary.failed, "unscored": summary.unscored}
    found = sorted({*summary.measures, *(each.name for each in summary.reported)})
    return asdict(summary.facts) | counts | {"found": found}


def _measure(judged: JudgedMeasure) -> dict[str, Any]:
    shown = judged.shown
    return {
        "key": judged.rule.key,
        "confidence": judged.confidence,
        "n": judged.n,
        "successes": judged.successes,
        "deviation": judged.deviation,
        "point": shown.point,
        "low": shown.low,
        "high": shown.high,
        "verdicts": {
            tier: {
                "limit": judged.rule.limits[tier],
                "verdict": each.verdict.value,
                "more": each.more_samples,
            }
            for tier, each in judged.by_tier.items()
        },
    }


if __name__ == "__main__":
    for message in main(json.load(sys.stdin)):
        print(json.dumps(message), flush=True)  # noqa: T201 - its answer
