"""Data of a rollout's page besides its gates: ladder, next step, history, reached keys."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from governance.foundation.people.queries import Moment
from governance.kernel.formatting import day_of_year, plural
from governance.operations.evaluations import figures
from governance.operations.evaluations import gates as evaluation_gates
from governance.operations.evaluations import queries as evaluations
from governance.operations.gates import gates
from governance.operations.gates.gates import GateResult
from governance.operations.gates.stage import Stage
from governance.operations.policies.setting_labels import short_label
from governance.operations.rollouts import (
    rollout_chart,
)
from governance.operations.rollouts.actions import CANCELLED, STEPS
from governance.operations.rollouts.gates import answers
from governance.operations.rollouts.life_cycle import PAST
from governance.operations.rollouts.models import ON_FAILURE, Rollout, RolloutStep
from governance.operations.rollouts.status import RolloutStatus, hours

STEP_KINDS = {
    "start": "dot",
    "promote": "up",
    "pause": "stop",
    "halt": "stop",
    "resume": "ok",
    "roll_back": "down",
    "finish": "ok",
    "cancel": "open",
}
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


# ---- the conclusion


def headline(at: RolloutStatus) -> str:
    """Return "Halted at 5%: 5 of 11 gates fail, so 2026.12.0 can't advance"."""
    row, stage = at.rollout, at.rollout.stage
    where = f" {stage.where}" if stage else ""
    if row.state == "planned":
        missing = "" if row.rollback_plan else ": its rollback plan is missing"
        return f"{row.release} isn't started{missing}"
    if not row.is_open:
        return {
            "finished": f"{row.release} reached everybody",
            "rolled_back": f"Rolled back{where}: everybody has {row.previous}",
            "cancelled": f"{row.release} was cancelled before its first stage",
        }[row.state]
    state = row.state_name if row.state != "running" else "Running"
    failing, total = gates.count(at.results, "fail"), len(at.results)
    if failing:
        verb = "fails" if failing == 1 else "fail"
        return f"{state}{where}: {failing} of {total} gates {verb}, so {row.release} can't advance"
    if at.blockers:
        return f"{state}{where}: {row.release} can't advance yet"
    if at.step == "resume":
        return f"{state}{where}: {row.release} can be resumed"
    ahead = f"can go to {row.next_stage.name}" if row.next_stage else "can be finished"
    return f"{state}{where}: {row.release} {ahead}"


def gates_title(at: RolloutStatus) -> str:
    """Return "Gates from 5% to 10%: 4 pass, 5 fail, 2 are open"."""
    row, results = at.rollout, at.results
    if row.stage is None:
        return "Gates"
    to = f"from {row.stage.name} to {row.next_stage.name}" if row.next_stage else "to finish"
    passing, failing = gates.count(results, "pass"), gates.count(results, "fail")
    still = len(results) - passing - failing
    parts = [
        f"{passing} {'passes' if passing == 1 else 'pass'}",
        f"{failing} {'fails' if failing == 1 else 'fail'}",
        f"{still} {'is' if still == 1 else 'are'} undecided or missing",
    ]
    counted = [
        text for text, number in zip(parts, (passing, failing, still), strict=True) if number
    ]
    return f"Gates {to}: {', '.join(counted)}" if counted else f"Gates {to}"


def grouped(results: Sequence[GateResult]) -> list[tuple[str, list[GateResult]]]:
    """Return the gates by kind, each with its heading."""
    return [
        (label, found)
        for kind, label in gates.KINDS.items()
        if (found := [each for each in results if each.kind == kind])
    ]


# ---- the ladder


@dataclass(frozen=True, slots=True)
class LadderStage:
    """A stage in the ladder: a class, a shape, a name, two lines."""

    css: str
    shape: str
    name: str
    first: str
    second: str


def ladder(at: RolloutStatus, steps: Sequence[RolloutStep]) -> list[LadderStage]:
    """Return the stages: past ones with their days, the others with their requirements."""
    row = at.rollout
    entered = {each.position: each.created_at for each in reversed(steps) if each.step in ENTERING}
    return [
        _stage(at, n, stage, entered.get(n), entered.get(n + 1))
        for n, stage in enumerate(row.stages)
    ]


ENTERING = ("start", "promote")


def _stage(
    at: RolloutStatus, n: int, stage: Stage, came: datetime | None, left: datetime | None
) -> LadderStage:
    row = at.rollout
    needs = f"{stage.samples:,} {'pairs' if stage.is_shadow else 'answers'}"
    if n < row.position or (n == row.position and row.state == "finished"):
        served = "none served" if n == 0 else "passed"
        if came is None or left is None:
            return LadderStage("done", "ok", stage.name, "reached", served)
        days = f"{day_of_year(came)} to {day_of_year(left)}"
        return LadderStage("done", "ok", stage.name, days, f"{hours(left - came)}, {served}")
    if n == row.position:
        state = row.state_name.lower()
        css, shape = {"running": ("live", "dot"), "paused": ("now", "due")}.get(
            row.state, ("halt", "stop")
        )
        since = f"{hours(at.dwelt)} of {hours(stage.dwell)}"
        name = stage.name if row.state == "running" else f"{stage.name}, {state}"
        return LadderStage(css, shape, name, since, needs)
    people = f"{WORDS[at.people]} {'person' if at.people == 1 else 'people'}"
    css = "goal" if n == len(row.ladder) - 1 else ""
    return LadderStage(css, "open", stage.name, f"{hours(stage.dwell)}, {needs}", people)


# ---- the next step


def next_title(at: RolloutStatus) -> str:
    row = at.rollout
    what = {
        "start": "start",
        "promote": row.next_stage.name if row.next_stage else "",
        "resume": "resume",
        "finish": "finish",
    }[at.step or "start"]
    return f"Next step: {what}{', not possible yet' if at.blockers else ''}"


def requirements(at: RolloutStatus) -> Iterator[Mapping[str, Any]]:
    """Yield the requirements of the next step, as c.reasons takes them."""
    row = at.rollout
    if at.step == "start":
        plan = bool(row.rollback_plan.strip())
        yield {
            "kind": "ok" if plan else "bad",
            "lead": "A rollback plan",
            "text": "is written" if plan else "is missing",
        }
    if at.step in {"promote", "finish"} and row.stage is not None:
        passing, total = gates.count(at.results, "pass"), len(at.results)
        yield {
            "kind": "ok" if total and passing == total else "bad",
            "lead": f"All {total} gates pass" if total != 1 else "The gate passes",
            "text": f"{passing} {'does' if passing == 1 else 'do'} now",
        }
        yield {
            "kind": "due" if at.dwell_left else "ok",
            "lead": f"{hours(row.stage.dwell)} {row.stage.where}",
            "text": f"{hours(at.dwell_left)} to go" if at.dwell_left else "have passed",
        }
    if at.step == "resume":
        failed = gates.failing(at.results, "guardrail")
        yield {
            "kind": "bad" if failed else "ok",
            "lead": "No guardrail fails",
            "text": f"{plural(len(failed), 'guardrail')} now" if failed else "the clock continues",
        }
    if at.is_frozen:
        yield {"kind": "due", "lead": "No freeze", "text": "one is in effect"}
    two = at.people > 1
    yield {
        "kind": "open",
        "lead": "Two people" if two else "One person",
        "text": "one requests it, another approves it" if two else "takes the step",
    }


# ---- reached keys


def who_is_in(at: RolloutStatus) -> tuple[str, list[tuple[str, Any]]]:
    """Return the heading and the facts about the keys with the release at this stage."""
    row, stage = at.rollout, at.rollout.stage
    ring = short_label(at.ring, "release_ring")
    candidate, current = answers(at.subject) if stage and stage.share else (0, 0)
    if row.state == "finished":
        title = "Who is in: everybody"
    elif stage is None or stage.is_shadow or row.state not in {"running", "paused"}:
        title = "Who is in: nobody"
    else:
        title = f"Who is in: {candidate:,} of {candidate + current:,} answers"
    facts: list[tuple[str, Any]] = [("Release ring", ring)]
    if stage is not None and not stage.is_shadow:
        allowed = at.ring in stage.rings
        facts.append(("May be in", "yes" if allowed else f"no, {ring} starts at 50%"))
        facts.append(
            ("Bucket", f"0 to {stage.share / 100:g} of 100: who is in stays in at later stages")
        )
    facts.append(("Served as", f"rollout.{at.feature.key}"))
    return title, facts


# ---- history


def history(
    steps: Sequence[RolloutStep], row: Rollout, names: Mapping[UUID, str], reasons: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the steps as c.timeline takes them; `reasons` come from reasons_of."""
    return [
        {
            "kind": STEP_KINDS[each.step],
            "text": _sentence(each, row, names),
            "meta": _meta(each, reason),
            "at": each.created_at,
        }
        for each, reason in zip(steps, reasons, strict=True)
    ]


def reasons_of(moments: Iterable[Moment], steps: Sequence[RolloutStep]) -> list[str]:
    """Return the reason of each step from the audit log, as far as the reader may see it.

    Both are newest first, and each step has one entry.
    """
    taken = {each.name for each in (*STEPS.values(), CANCELLED)}
    found = [each.reason or "" for each in moments if each.action in taken]
    found += [""] * len(steps)  # A timeline has a limit.
    return [reason or step.cause for step, reason in zip(steps, found, strict=False)]


def _sentence(step: RolloutStep, row: Rollout, names: Mapping[UUID, str]) -> str:
    stages = row.stages
    what = PAST[step.step].capitalize()
    if step.step == "promote":
        what = f"{stages[step.position - 1].name} → {stages[step.position].name}"
    elif step.position >= 0 and step.step != "cancel":
        what = f"{what} {stages[step.position].where}"
    who = names.get(step.taken_by, "a former member") if step.taken_by else ""
    if step.requested_by:
        asked = names.get(step.requested_by, "a former member")
        return f"{what}, requested by {asked}, approved by {who}"
    return f"{what} by {who}" if who else f"{what} by Meridian"


def _meta(step: RolloutStep, reason: str) -> str:
    total = len(step.gates)
    passing = sum(each["verdict"] == "pass" for each in step.gates)
    counted = f"{passing} of {total} gates passed" if total else ""
    return ". ".join(filter(None, (reason.removesuffix("."), counted)))


# ---- earlier releases


@dataclass(frozen=True, slots=True)
class EarlierRelease:
    """An earlier rollout of the feature that today's limits would have stopped."""

    rollout: Rollout
    measures: Sequence[str]


def counterfactual(row: Rollout, earlier: Sequence[Rollout]) -> tuple[str, list[EarlierRelease]]:
    """Return the earlier releases that today's limits would have stopped, with a heading."""
    found = evaluation_gates.earlier_verdicts(
        row.system_id, sorted({each.release for each in earlier})
    )
    known = [each for each in earlier if each.release in found]
    stopped = [EarlierRelease(each, found[each.release]) for each in known if found[each.release]]
    if not known:
        return "", []
    return (
        (
            f"Today's limits would have stopped {len(stopped)} of"
            f" {'the last ' if len(known) > 1 else ''}{plural(len(known), 'earlier release')}"
        ),
        stopped,
    )


# ---- charts


def charts_of(at: RolloutStatus, steps: Sequence[RolloutStep]) -> dict[str, Any]:
    """Return the share over time and the most important guardrail, if they exist."""
    found = rollout_chart.changes(steps, at.rollout.stages)
    runs, name, measure = _guardrail(at, steps)
    return {
        "changes": found,
        "shares": rollout_chart.shares(at.rollout, found, at.now) if found else None,
        "shares_title": rollout_chart.title(at.rollout, found) if found else "",
        "runs": runs,
        "guardrail": rollout_chart.guardrail(at.rollout, name, runs, measure) if runs else None,
        "guardrail_title": rollout_chart.guardrail_title(name, runs) if runs else "",
        "guardrail_sub": rollout_chart.drawn_as(measure) if runs else "",
    }


def _guardrail(
    at: RolloutStatus, steps: Sequence[RolloutStep]
) -> tuple[list[rollout_chart.MeasuredRun], str, Any]:
    """Return the measure that stopped it last, or the first one of its evaluations."""
    measures = [each.reading.name for each in at.results if each.gate == "evaluations"]
    causes = [name for step in steps for name in step.cause.split(", ") if name in measures]
    failing = [each.reading.name for each in at.results if each.verdict == "fail"]
    name = next((n for n in (*causes, *failing, *measures) if n in measures), "")
    row = at.rollout
    found = evaluations.measured(row.system_id, [row.release, row.previous], name)
    if len(found) < rollout_chart.MIN_RUNS:
        return [], name, None
    tier = evaluations.policy_tier()
    runs = [_measured(result, measure, run, tier) for result, measure, run in found]
    return runs, name, found[-1][1]


def _measured(result: Any, measure: Any, run: Any, tier: str) -> rollout_chart.MeasuredRun:
    judged: Mapping[str, Any] = result.verdicts.get(tier, {})
    limit = judged.get("limit")
    return rollout_chart.MeasuredRun(
        run.ran_at or run.created_at,
        run.release,
        rollout_chart.drawn(result.point, measure),
        None if limit is None else rollout_chart.drawn(limit, measure),
        figures.amount(result.point, measure.unit),
        figures.interval(result.low, result.high, measure.unit),
        figures.limit(measure, limit),
        result.n,
        str(judged.get("verdict", "undecided")),
    )


def plan_title(row: Rollout) -> str:
    """Return the effect of a failed guardrail, and the owner of the plan."""
    return f"If a guardrail fails: {ON_FAILURE[row.on_failure].lower()}"
