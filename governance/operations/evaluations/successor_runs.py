"""Implementation of the register's port for evaluations of models that succeed others."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.safety.access import allowed
from governance.operations.evaluations import permissions, queries
from governance.operations.evaluations.models import EvaluationRun, SuiteVersion
from governance.operations.systems.models import AISystem
from governance.operations.systems.ports import ModelRun

SINCE = timedelta(days=365)
MARKS = ("/", ":")  # Separators between provider and model, as in "openai/gpt-x"


def evaluations_of(
    systems: Mapping[str, Mapping[str, Collection[str]]],
) -> Mapping[str, Sequence[ModelRun]] | None:
    """Return each model's newest run by suite and system. Runs two statements.

    `systems` are slugs by model, each with the models that it used before. Returns None if the
    reader may not see evaluations.
    """
    if not allowed(permissions.VIEW):
        return None
    slugs = {slug for each in systems.values() for slug in each}
    models = {
        *systems,
        *(name for each in systems.values() for old in each.values() for name in old),
    }
    rows = _newest(models, slugs) if slugs else []
    verdicts = _verdicts(rows)
    by_suite = defaultdict[Any, list[Any]](list)
    for row in rows:
        by_suite[row.key, row.suite_id].append(row)
    found = defaultdict[str, list[ModelRun]](list)
    for model, wanted in systems.items():
        for row in rows:
            if row.key in wanted and _is_model(row.model, model):
                words, state = _words(row.outcome, verdicts[row.id])
                old = _earlier(row, wanted[row.key], by_suite[row.key, row.suite_id])
                compared = (old.id, _name(old)) if old is not None else (None, "")
                found[model].append(ModelRun(row.key, row.id, _name(row), words, state, *compared))
    return found


def _name(row: Any) -> str:
    return f"Run {row.number:,}"


def _earlier(row: Any, before: Collection[str], of_suite: Iterable[Any]) -> Any:
    """Return the suite's newest run on an earlier model, or None if it can't be compared."""
    found = (
        each
        for each in of_suite
        if each.id != row.id and any(_is_model(each.model, name) for name in before)
    )
    old = max(found, key=lambda each: each.ran_at, default=None)
    if old is None or any(
        each.outcome != "completed" or each.withdrawn_at is not None for each in (old, row)
    ):
        return None
    return old


def _newest(models: Collection[str], slugs: Collection[str]) -> Sequence[Any]:
    r = EvaluationRun
    query = (
        select(
            r.id,
            r.number,
            r.outcome,
            r.judged_tier,
            r.model,
            r.ran_at,
            AISystem.key,
            SuiteVersion.suite_id,
            SuiteVersion.withdrawn_at,
        )
        .join(AISystem, AISystem.id == r.system_id)
        .join(SuiteVersion, SuiteVersion.id == r.version_id)
        .where(
            AISystem.key.in_(slugs),
            r.state == "judged",
            r.week >= clock.today() - SINCE,
            or_(*(_called(model) for model in models)),
        )
        .ext(distinct_on(r.system_id, SuiteVersion.suite_id, func.lower(r.model)))
        .order_by(
            r.system_id,
            SuiteVersion.suite_id,
            func.lower(r.model),
            r.ran_at.desc(),
            r.number.desc(),
        )
    )
    return session().execute(query).all()


def _called(model: str) -> ColumnElement[bool]:
    """Match a model's name in a log with or without its provider."""
    written, name = func.lower(EvaluationRun.model), model.lower()
    return or_(
        written == name, *(written.endswith(f"{mark}{name}", autoescape=True) for mark in MARKS)
    )


def _is_model(written: str, model: str) -> bool:
    return written.lower() == model.lower() or written.lower().endswith(
        tuple(f"{mark}{model.lower()}" for mark in MARKS)
    )


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Counts of measures by verdict: as the run was judged, and by today's limits."""

    judged: Counter[str] = field(default_factory=Counter)
    today: Counter[str] = field(default_factory=Counter)


def _verdicts(rows: Sequence[Any]) -> Mapping[Any, Verdicts]:
    """Count the verdicts of each run, without signals."""
    tier_of = {each.id: each.judged_tier for each in rows}
    tier, found = queries.policy_tier(), defaultdict[Any, Verdicts](Verdicts)
    for result, measure in queries.results_of([each.id for each in rows]):
        if not measure.is_signal:
            judged_by = tier_of[result.run_id] or tier
            counts = found[result.run_id]
            for count, of in ((counts.judged, judged_by), (counts.today, tier)):
                count[result.verdicts.get(of, {}).get("verdict", "none")] += 1
    return found


def _words(outcome: str | None, found: Verdicts) -> tuple[str, str]:
    """Return the words and a kind of c.state. Only a pass in every measure is a pass."""
    count = found.judged
    if outcome != "completed" or not count:
        return "no result", "none"
    told, state = _told(count), "due"
    if count["fail"]:
        state = "bad"
    elif count["pass"] == count.total():
        state = "ok"
    if found.today != count:
        told += f" (by today's limits: {_told(found.today)})"
    return told, state


def _told(count: Counter[str]) -> str:
    words = {"pass": "pass", "fail": "fail", "undecided": "undecided", "none": "without a result"}
    return ", ".join(f"{count[each]} {word}" for each, word in words.items() if count[each])
