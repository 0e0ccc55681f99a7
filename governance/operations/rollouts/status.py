"""The current state of a rollout, its gates' figures, and blockers of its next step.

status_of(rollout)      the data of its page, its approval and its actions
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.kernel import clock
from governance.kernel.formatting import moment, plural
from governance.kernel.intervals import Span
from governance.operations.gates import gates
from governance.operations.gates.gates import GateResult, GateSubject
from governance.operations.policies import queries as policies
from governance.operations.rollouts import queries
from governance.operations.rollouts.life_cycle import is_frozen
from governance.operations.rollouts.models import Rollout
from governance.operations.systems.models import AISystem, SystemFeature

MAX_NAMED = 3  # Gates in a sentence
HOUR = 60  # minutes


@dataclass(frozen=True, slots=True)
class RolloutStatus:
    """A rollout at one instant, with the figures of its gates."""

    rollout: Rollout
    system: AISystem
    feature: SystemFeature
    now: datetime
    freezes: Sequence[Span]
    people: int  # Number of people for its next step
    ring: str  # Level of release_ring for the system
    subject: GateSubject
    results: Sequence[GateResult]

    @property
    def step(self) -> str | None:
        """The step that advances it; None once it has ended."""
        return next_step(self.rollout)

    @property
    def dwelt(self) -> timedelta:
        return self.rollout.progress.dwelt(self.now, self.freezes)

    @property
    def dwell_left(self) -> timedelta:
        stage = self.rollout.stage
        return max(stage.dwell - self.dwelt, timedelta()) if stage else timedelta()

    @property
    def is_frozen(self) -> bool:
        return is_frozen(self.now, self.freezes)

    @property
    def blockers(self) -> list[str]:
        """The reasons why its next step can't be taken now, a sentence each."""
        return list(_blockers(self))

    @property
    def fingerprint(self) -> str:
        """The rollout's revision and every figure of its gates, as a person saw them."""
        return f"{self.rollout.revision}-{gates.fingerprint(self.results)}"


def next_step(row: Rollout) -> str | None:
    if row.state == "planned":
        return "start"
    if row.state in {"paused", "halted"}:
        return "resume"
    if row.state == "running":
        return "promote" if row.next_stage else "finish"
    return None


def status_of(row: Rollout, about: tuple[AISystem, SystemFeature] | None = None) -> RolloutStatus:
    """Read its current state; `about` has its AI system and feature, if already read."""
    system, feature = about or queries.about(row)
    ring = _ring(system)
    stage = row.stage
    subject = GateSubject(
        row.system_id,
        system.key,
        feature.key,
        row.release,
        row.previous,
        stage,
        row.entered_at,
        is_reachable=stage is not None and ring in stage.rings,
    )
    return RolloutStatus(
        row,
        system,
        feature,
        clock.now(),
        queries.spans_for(row),
        queries.people_needed(row, system),
        ring,
        subject,
        gates.read_all(subject) if row.is_open and stage is not None else [],
    )


def _ring(system: AISystem) -> str:
    policy = policies.current_policy()
    governed = next((each for each in policy.systems if each.id == system.id), None)
    return str(policy.effective(governed)["release_ring"].value)


def _blockers(at: RolloutStatus) -> Iterator[str]:
    row, step = at.rollout, at.step
    if step is None:
        yield f"The rollout is {row.state_name.lower()}."
        return
    if at.system.is_retired or at.feature.retired_at:
        yield "The AI system or its feature is retired. Roll back or cancel the rollout."
    if step == "start" and not row.rollback_plan.strip():
        yield "A rollback plan is missing. Write it before the first stage."
    if at.is_frozen:
        end = max(each.end for each in at.freezes if each.start <= at.now < each.end)
        yield f"A freeze is in effect until {moment(end)}."
    if step in {"promote", "finish"}:
        if at.dwell_left:
            where = row.stage.where if row.stage else "in its stage"
            yield f"{hours(at.dwell_left)} of its time {where} is missing."
        yield from _closed(at.results)
    elif step == "resume" and (failing := gates.failing(at.results, "guardrail")):
        yield f"{_named(failing)} {'fails' if len(failing) == 1 else 'fail'}."


def _closed(results: Sequence[GateResult]) -> Iterator[str]:
    """Yield a sentence about the gates that don't pass, or about a lack of data."""
    if not results:
        yield "No gate has any data."
    shut = [each for each in results if each.verdict != "pass"]
    if shut:
        verb = "doesn't pass" if len(shut) == 1 else "don't pass"
        yield f"{plural(len(shut), 'gate')} of {len(results)} {verb}: {_named(shut)}."


def _named(results: Sequence[GateResult]) -> str:
    names = [each.reading.name for each in results[:MAX_NAMED]]
    more = len(results) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def hours(left: timedelta) -> str:
    """Return "4 d 19 h", "4 h 27 min" or "12 min". A remainder is never rounded to nothing."""
    minutes = -(-int(left.total_seconds()) // 60)
    days, rest = divmod(minutes, 24 * HOUR)
    if days:
        return f"{days} d {rest // HOUR} h" if rest >= HOUR else f"{days} d"
    if rest >= HOUR:
        return f"{rest // HOUR} h {rest % HOUR} min"
    return f"{max(rest, 1)} min"
