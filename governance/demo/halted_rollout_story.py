"""Release 2026.12.0 of claims-triage: halted at 5% by its grounding gate, repaired, and resumed.

Jun requests each step and the officer approves it, because the system has the high risk class.
Today the index of its summaries loses the flags of withdrawn clauses. An evaluation detects
that, and Meridian halts the rollout. The index is rebuilt, the case is added to the suite, the
next run passes, and two people resume. Approvals have their own objectives, which don't cover
summaries. The year-end freeze is in the calendar.

    steps(…)      up to 5%
    halted(…)     before the incident of today is declared
    resumed(…)    once the index is rebuilt
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from governance.demo import evaluation_story
from governance.demo.cast import Cast
from governance.demo.evaluation_logs import log_of
from governance.demo.story import StoryStep
from governance.demo.wording_suites import WordingSuite
from governance.economics.tenant_costs.gates import COST
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.foundation.approvals.queries import approval
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.operations.decision_counts import actions as decision_counts
from governance.operations.gates.gates import GateSubject
from governance.operations.rollouts import actions, freeze_actions, queries
from governance.operations.rollouts import jobs as watching
from governance.operations.rollouts.actions import RolloutDraft
from governance.operations.rollouts.models import Rollout
from governance.operations.rollouts.status import status_of
from governance.operations.systems import queries as systems

SYSTEM, FEATURE = "claims-triage", "summarise"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PLANNED, EVALUATED = 17.2 * DAY, 10.5 * DAY  # before now
PROMOTED = (9.6 * DAY, 4.8 * DAY)  # to 1%, to 5%
HALTED, REPAIRED, RESUMED = 94 * MINUTE, 16 * MINUTE, 8 * MINUTE
ANSWERS_A_DAY = 4_200  # of both releases
SUITE = WordingSuite(
    key="claim-summaries",
    name="Claim summaries",
    purpose="Summaries cite clauses that are in force.",
    measure="grounded-summaries",
    measures="Grounded summaries",
    method="Each summary is compared with the wording that was in force on the day of the claim.",
    system=SYSTEM,
)
WRONG = {"current": 30, "candidate": 3, "halted": 34, "repaired": 2}  # cases
DECIDING, REFUSALS, FEWER = (
    1_400,
    600,
    15,
)  # cases of Claims grounding, and how many of them hallucinate
MAX_WAIT_SECONDS = 600  # generous, for a busy machine
FREEZE = (12, 18)  # month and day
REPAIR = (
    "The index has the flags of withdrawn clauses again. Clause 14.3 is a case of Claim summaries"
    " from now on, and it passes."
)
PLAN = """All claims are summarised by the current release.
Summaries of open claims are written again.
Adjusters are notified."""


def steps(cast: Cast, now: datetime, *, ready: Callable[[], object]) -> list[StoryStep]:
    """Return the steps up to 5%.

    `ready` is called before each promotion, and must store what the gates read.
    """
    to_one, to_five = (now - each for each in PROMOTED)
    evaluated = now - EVALUATED
    return [
        StoryStep(now - PLANNED, partial(_plan, cast, now)),
        StoryStep(now - PLANNED + 2 * HOUR, partial(plan_freeze, cast, now)),
        StoryStep(evaluated, partial(_evaluate, cast, now)),
        StoryStep(evaluated + HOUR, partial(evaluation_story.accept, cast)),
        StoryStep(to_one - MINUTE, ready),
        StoryStep(to_one, partial(_advance, cast, "promote", "All gates pass in the shadow.")),
        StoryStep(to_five - 2 * MINUTE, partial(_count_answers, cast, to_one, to_five, 0.01)),
        StoryStep(to_five - MINUTE, ready),
        StoryStep(to_five, partial(_advance, cast, "promote", "All gates pass at 1%.")),
    ]


def halted(cast: Cast, now: datetime) -> list[StoryStep]:
    """Return the steps before the incident of today is declared."""
    at = now - HALTED
    return [
        StoryStep(at - 2 * MINUTE, partial(_count_answers, cast, now - PROMOTED[1], at, 0.05)),
        StoryStep(at - MINUTE, partial(_run, cast, now, "halted")),
        StoryStep(at, partial(_watch, cast)),
    ]


def resumed(cast: Cast, now: datetime) -> list[StoryStep]:
    """Return the steps after the index is rebuilt."""
    return [
        StoryStep(now - REPAIRED, partial(_repair, cast, now)),
        StoryStep(now - RESUMED, partial(_advance, cast, "resume", REPAIR)),
    ]


def release(now: datetime) -> str:
    """Return the first release of next month, such as 2026.12.0."""
    year, month = divmod(now.year * 12 + now.month, 12)
    return f"{year}.{month + 1}.0"


def wait_for_costs(cast: Cast, check: Callable[[], None]) -> None:
    """Wait until the cost of a task is known.

    Usage and prices are created in a parallel process. `check` raises an error if that process
    has failed.
    """
    end = time.monotonic() + MAX_WAIT_SECONDS
    while time.monotonic() < end:
        with current.acting_as(cast("jun")), transaction():
            system = systems.system(SYSTEM)
            subject = GateSubject(
                system.id, SYSTEM, FEATURE, "", "", None, None, is_reachable=False
            )
            if [each.verdict for each in COST.read(subject)] == ["pass"]:
                return
        check()
        time.sleep(0.1)
    raise SystemExit(f"The cost of a task of {SYSTEM} isn't known, so its gate doesn't pass.")


def _rollout() -> Rollout:
    found: Rollout = queries.rollouts_of(systems.system(SYSTEM).id)[0][0]
    return found


# ---- people's steps


def _plan(cast: Cast, now: datetime) -> None:
    with current.acting_as(cast("jun")), transaction():
        every = systems.features(systems.system(SYSTEM).id)
        actions.plan(
            RolloutDraft(
                feature_id=next(each.id for each in every if each.key == FEATURE),
                change="model",
                release=release(now),
                previous=evaluation_story.release_of(clock.now(), now),
                summary="A larger model that reads whole policies, not only the cited clauses.",
                rollback_plan=PLAN,
                on_failure="halt",
                owner_id=cast.id("jun"),
            )
        )
    _advance(cast, "start", "Nobody is served in the shadow.")


def _advance(cast: Cast, step: str, reason: str) -> None:
    """Request the step as Jun, and approve it as the officer."""
    with current.acting_as(cast("jun")), transaction():
        row = _rollout()
        seen = status_of(row).fingerprint
        request_id = actions.request_step(row, step=step, seen=seen, reason=reason).id
    with current.acting_as(cast("officer")), transaction():
        found = approval(request_id)
        approvals.approve(found, seen=fingerprint_seen(found))


def plan_freeze(cast: Cast, now: datetime) -> None:
    """Plan the next freeze that isn't in progress, so that no step of the story falls into it."""
    year = now.year if (now.month, now.day) < FREEZE else now.year + 1
    with current.acting_as(cast("officer")), transaction():
        freeze_actions.add_freeze(
            name="Year-end close",
            starts_at=datetime(year, *FREEZE, tzinfo=UTC),
            ends_at=datetime(year + 1, 1, 4, tzinfo=UTC),
        )


def _evaluate(cast: Cast, now: datetime) -> None:
    """Evaluate both releases with enough cases of Claims grounding to decide each measure."""
    SUITE.publish(cast)
    served = evaluation_story.release_of(clock.now(), now)
    for of, log in zip((served, release(now)), _paired_logs(), strict=True):
        key = evaluation_story.CLAIMS.key
        evaluation_story.send(cast, key, SYSTEM, of, log, f"{key}-{of}-paired.json")
    _run(cast, now, "candidate")


def _paired_logs() -> Iterator[Mapping[str, Any]]:
    """Yield the log of the current release, and one of the same cases with fewer hallucinations."""
    key = evaluation_story.CLAIMS.key
    log = log_of(key, clock.now(), WRONG["current"], cases=DECIDING, run="-paired")
    for number, sample in enumerate(log["samples"][:REFUSALS]):
        sample["scores"]["refusal"] = {"value": "C" if number % 40 else "I"}
    yield log
    wrong = [s for s in log["samples"] if s["scores"]["grounded"]["value"] == "I"]
    for sample in wrong[FEWER:]:
        sample["scores"]["grounded"] = {"value": "C"}
    yield dict(log) | {"eval": log["eval"] | {"eval_id": f"{log['eval']['eval_id']}-candidate"}}


def _run(cast: Cast, now: datetime, which: str) -> None:
    SUITE.run(cast, release(now), which, WRONG[which], with_case=which != "candidate")


def _repair(cast: Cast, now: datetime) -> None:
    """Add the clause to the suite's cases, run the release, and close the finding as Jun."""
    SUITE.add_case(cast)
    _run(cast, now, "repaired")
    SUITE.close_finding(cast, REPAIR)


# ---- measurements


def _count_answers(cast: Cast, since: datetime, until: datetime, share: float) -> None:
    """Add the decision API's answers at a rollout stage, one count every six hours."""
    flag, counted = f"rollout.{FEATURE}", dict[tuple[datetime, str, str, str], int]()
    at, a_time = since + HOUR, ANSWERS_A_DAY // 4
    inside = round(a_time * share)
    with _as_meridian(cast), transaction():
        row = _rollout()
        while at < until:
            minute = at.replace(second=0, microsecond=0)
            counted[minute, SYSTEM, flag, row.release] = inside
            counted[minute, SYSTEM, flag, row.previous] = a_time - inside
            at += 6 * HOUR
        decision_counts.add(counted)


# ---- Meridian's steps


def _watch(cast: Cast) -> None:
    """Check the rollout, as the job does every minute."""
    with _as_meridian(cast):
        watching.watch_tenant()


def _as_meridian(cast: Cast) -> AbstractContextManager[object]:
    who = cast("officer")
    return current.acting_as(system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name))
