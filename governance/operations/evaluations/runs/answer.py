"""The JSON of a run for programs."""

from collections.abc import Mapping
from typing import Any

from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.work import background_work
from governance.operations.evaluations import queries
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import EvaluationRun, MeasureResult, SuiteMeasure

VERDICTS = ("pass", "fail", "undecided")


def answer_of(run: EvaluationRun) -> dict[str, Any]:
    """Return the run with its verdicts.

    The verdicts are by the limits that judged it; `today` has those by the current limits.
    `verdict` is that of all measures, and null while the run is being read.
    """
    session().flush()
    suite, version, system = queries.about(run)
    tier, today = queries.judged_by(run), queries.policy_tier()
    work = background_work.run_of(run)
    stale = judge_queries.stale([(run, suite.id)])
    results = queries.results_of([run.id])
    measures, now = (
        [
            _measure(result, measure, each, is_stale=(run.id, measure.key) in stale)
            for result, measure in results
        ]
        for each in (tier, today)
    )
    return {
        "id": str(run.id),
        "number": run.number,
        "state": _state(run, work.state),
        "problem": run.problem or _problem(work),
        "place": run.place,
        "system": system.key,
        "suite": suite.key,
        "version": version.number,
        "release": run.release,
        "run": run.name,
        "sha256": run.sha256,
        "tool": run.tool,
        "tool_run": run.reference,
        "model": run.model,
        "outcome": run.outcome,
        "week": run.week.isoformat() if run.state == "judged" else None,
        "look": run.look,
        "cases": {
            "scored": run.cases - run.failed - run.unscored,
            "failed": run.failed,
            "unscored": run.unscored,
        },
        "tier": tier,
        "policy_version": run.judged_policy,
        "verdict": verdict_of(run, measures),
        "measures": measures,
        "today": {
            "tier": today,
            "policy_version": queries.policy_number(),
            "verdict": verdict_of(run, now),
            "measures": [
                {name: each[name] for name in ("measure", "limit", "verdict", "more_samples")}
                for each in now
            ],
        },
        "read_as": run.read_as,
        "page": f"/t/{current.actor().tenant_slug}/evaluations/runs/{run.id}",
    }


def _state(run: EvaluationRun, work: str) -> str:
    """Return reading, judged or refused; failed or cancelled if the reading work is."""
    return work if run.state == "reading" and work in {"failed", "cancelled"} else run.state


def _problem(work: background_work.Run[EvaluationRun]) -> str | None:
    return work.work.step if work.state == "failed" and work.work is not None else None


def verdict_of(run: EvaluationRun, measures: list[dict[str, Any]]) -> str | None:
    """Return pass only if every measure that decides passes; one failing measure fails the run."""
    if run.state != "judged":
        return None
    found = {each["verdict"] for each in measures if each["decides"]}
    if "fail" in found:
        return "fail"
    return "pass" if found == {"pass"} and run.outcome == "completed" else "undecided"


def _measure(
    result: MeasureResult, measure: SuiteMeasure, tier: str, *, is_stale: bool
) -> dict[str, Any]:
    """Return a measure as JSON. `is_stale`: another judge judged it, so it doesn't decide."""
    judged: Mapping[str, Any] = result.verdicts.get(tier, {})
    if is_stale:
        judged = {"limit": judged.get("limit")}
    return {
        "measure": measure.key,
        "name": measure.name,
        "unit": measure.unit,
        "decides": not measure.is_signal,
        "n": result.n,
        "counted": result.successes,
        "value": result.point,
        "low": result.low,
        "high": result.high,
        "confidence": result.confidence,
        "at_least": measure.at_least,
        "limit": judged.get("limit"),
        "verdict": judged.get("verdict", "undecided"),
        "more_samples": judged.get("more"),
    }
