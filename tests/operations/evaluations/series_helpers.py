"""Weeks of runs of Acme, each judged by its suite's rules and stored by its action."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.evaluations import queries
from governance.operations.evaluations.files.records import RunFacts, RunOutcome
from governance.operations.evaluations.files.summary import MeasureSummary, RunSummary
from governance.operations.evaluations.models import EvaluationRun, EvaluationSuite, SuiteVersion
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.evaluations.runs.judging import JudgedMeasure, judge_run
from governance.operations.evaluations.series.weeks import monday_of
from governance.operations.systems.models import AISystem

SPREAD = 0.3  # The spread of a mean, as a share of it.


def summary_of(
    facts: RunFacts, scores: Mapping[str, tuple[float, int]], latencies: int = 0
) -> RunSummary:
    """Return a run whose measures have these (passed or mean, n). A mean is a float."""
    found = RunSummary(facts, cases=max((n for _count, n in scores.values()), default=0))
    for name, (value, n) in scores.items():
        is_count = isinstance(value, int)
        found.measures[name] = MeasureSummary(
            n,
            int(value) if is_count else 0,
            value / n if is_count else value,
            0.0 if is_count else (value * SPREAD) ** 2 * (n - 1),
            is_binary=is_count,
        )
    found.latencies.extend(1000.0 + each for each in range(latencies))
    return found


def week_run(
    week: date,
    suite: EvaluationSuite,
    system: AISystem,
    scores: Mapping[str, tuple[float, int]],
    cases: Path,
    *,
    release: str = "2026.11.2",
    version: SuiteVersion | None = None,
    outcome: RunOutcome = RunOutcome.COMPLETED,
    latencies: int = 0,
) -> EvaluationRun:
    """Store a judged run of the Tuesday of that week. The caller acts as a person.

    `cases` is an empty file.
    """
    version = version or queries.version(suite.id)
    ran = datetime.combine(week + timedelta(days=1), time(9), UTC)
    number = queries.next_number()
    facts = RunFacts(
        "inspect",
        run_id=f"series-{number}",
        outcome=outcome,
        problem="" if outcome is RunOutcome.COMPLETED else "The judge was unreachable",
        completed_at=ran.isoformat(),
    )
    run = EvaluationRun(
        system_id=system.id,
        version_id=version.id,
        release=release,
        number=number,
        sha256=sha256(str(number).encode()).hexdigest(),
        week=monday_of(clock.today()),
        judges=[],
        created_at=clock.now(),
    )
    session().add(run)
    session().flush()
    summary = summary_of(facts, scores, latencies)
    look = queries.looks(run).get(week, 0) + 1
    rules = [queries.rule_of(each) for each in queries.measures(version.id)]
    judged = judge_run(summary, rules, look=look)
    told = asdict(facts) | {"cases": summary.cases, "failed": 0, "unscored": 0, "look": look}
    run_actions.keep_results(
        run.id, {"run": told, "measures": [_found(each) for each in judged]}, cases
    )
    return run


def _found(judged: JudgedMeasure) -> dict[str, Any]:
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
