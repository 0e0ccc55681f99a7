"""Release 2026.12.0 of policy-lookup: halted at 5% by its grounding gate, repaired, and resumed.

Jun promotes it to 1% and to 5%. Today its index loses the flags of withdrawn clauses, as that of
claims-triage does: an evaluation finds it, and Meridian halts the rollout. The index is built again,
the case becomes part of the suite, the next run passes, and a person resumes.

    steps(…)      up to 5%
    halted(…)     before the incident of today is declared
    resumed(…)    once the index is built again
"""

import io
import json
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from governance.assurance.evaluation_findings import finding_actions
from governance.assurance.evaluation_findings import queries as findings
from governance.assurance.incidents import impact_actions
from governance.assurance.incidents import queries as incidents
from governance.demo import evaluation_story
from governance.demo.cast import Cast
from governance.demo.evaluation_logs import log_of
from governance.demo.story import StoryStep
from governance.foundation.people.jobs import actor_of
from governance.foundation.tenants.system_actor import founder
from governance.kernel import clock, current, jobs
from governance.kernel.db import transaction
from governance.operations.decision_counts import actions as decision_counts
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations import run_actions, suite_actions
from governance.operations.evaluations.suite_actions import MeasureInput
from governance.operations.rollouts import actions, queries
from governance.operations.rollouts import jobs as watching
from governance.operations.rollouts.actions import RolloutDraft
from governance.operations.rollouts.models import Rollout
from governance.operations.rollouts.standing import standing_of
from governance.operations.systems import actions as register
from governance.operations.systems import queries as systems

SYSTEM, FEATURE = "policy-lookup", "search"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
EVALUATED, PLANNED = 9.2 * DAY, 8.9 * DAY  # before now
PROMOTED = (7.7 * DAY, 4.8 * DAY)  # to 1%, to 5%
HALTED, TOUCHED, REPAIRED, RESUMED = 94 * MINUTE, 30 * MINUTE, 16 * MINUTE, 8 * MINUTE
ANSWERS_A_DAY = 4_200  # of both releases
SUITE, MEASURE = "clause-lookup", "grounded-answers"
CASES, REGRESSION = 400, "clause-14.3-withdrawn"
WRONG = {"current": 7, "candidate": 3, "halted": 34, "repaired": 2}  # of the cases
METHOD = "Each answer is looked up in the wording that was in force on the day of the question."
WITH_REGRESSION = f"{METHOD} Since the index lost its flags, {REGRESSION} is one of the cases."
REPAIR = (
    "The index has the flags of withdrawn clauses again. Clause 14.3 is a case of Clause lookup"
    " from now on, and it passes."
)
PLAN = """All searches get the current release.
Answers of the last hour are compared with the wordings in force.
Teams whose agents use the search are notified."""


def steps(cast: Cast, now: datetime) -> list[StoryStep]:
    """Return what happens up to 5%."""
    to_one, to_five = (now - each for each in PROMOTED)
    return [
        StoryStep(now - EVALUATED, partial(_evaluate_both, cast, now)),
        StoryStep(now - PLANNED, partial(_plan, cast, now)),
        StoryStep(to_one, partial(_advance, cast, "promote", "All gates pass in the shadow.")),
        StoryStep(to_five - MINUTE, partial(_count_answers, cast, to_one, to_five, 0.01)),
        StoryStep(to_five, partial(_advance, cast, "promote", "All gates pass at 1%.")),
    ]


def halted(cast: Cast, now: datetime) -> list[StoryStep]:
    """Return what happens before the incident of today is declared."""
    at = now - HALTED
    return [
        StoryStep(at - 2 * MINUTE, partial(_count_answers, cast, now - PROMOTED[1], at, 0.05)),
        StoryStep(at - MINUTE, partial(_run, cast, release(now), "halted")),
        StoryStep(at, partial(_watch, cast)),
    ]


def resumed(cast: Cast, now: datetime) -> list[StoryStep]:
    """Return what happens once the index is built again."""
    return [
        StoryStep(now - TOUCHED, partial(_touch_incident, cast, now)),
        StoryStep(now - REPAIRED, partial(_repair, cast, now)),
        StoryStep(now - RESUMED, partial(_advance, cast, "resume", REPAIR)),
    ]


def release(now: datetime) -> str:
    """The first release of next month, such as 2026.12.0."""
    year, month = divmod(now.year * 12 + now.month, 12)
    return f"{year}.{month + 1}.0"


def _rollout() -> Rollout:
    found: Rollout = queries.rollouts_of(systems.system(SYSTEM).id)[0][0]
    return found


# ---- people's steps


def _evaluate_both(cast: Cast, now: datetime) -> None:
    """The officer adds the feature and publishes the suite; both releases run its cases."""
    with current.acting_as(cast("admin")), transaction():
        system = systems.system(SYSTEM, lock=True)
        register.add_feature(system, key=FEATURE, fallback="Agents search the wordings by keyword")
    with current.acting_as(cast("officer")), transaction():
        suite = suite_actions.create(
            key=SUITE,
            name="Clause lookup",
            purpose="Searches return clauses that are in force.",
            owner_id=cast.id("jun"),
        )
        version = evaluations.versions(suite.id)[0]
        suite_actions.set_measures(
            version,
            [
                MeasureInput(
                    key=MEASURE,
                    name="Grounded answers",
                    kind="rate",
                    unit="share",
                    at_least=True,
                    sources=("grounded",),
                    limits={"baseline": 0.94, "standard": 0.95, "strict": 0.95, "regulated": 0.97},
                )
            ],
        )
        suite_actions.edit_draft(version, method=METHOD, cases=CASES)
        suite_actions.publish(version, suite)
    _run(cast, evaluation_story.release_of(clock.now(), now), "current")
    _run(cast, release(now), "candidate")


def _plan(cast: Cast, now: datetime) -> None:
    with current.acting_as(cast("jun")), transaction():
        feature = systems.features(systems.system(SYSTEM).id)[0]
        actions.plan(
            RolloutDraft(
                feature_id=feature.id,
                change="model",
                release=release(now),
                previous=evaluation_story.release_of(clock.now(), now),
                summary="A model that reads whole wordings, not only the clauses that match.",
                rollback_plan=PLAN,
                on_failure="halt",
                owner_id=cast.id("jun"),
            )
        )
    _advance(cast, "start", "Nobody is served in the shadow.")


def _advance(cast: Cast, step: str, reason: str) -> None:
    """One person takes the step: the system has the standard risk class."""
    with current.acting_as(cast("jun")), transaction():
        row = _rollout()
        actions.advance(row, step=step, seen=standing_of(row).fingerprint, reason=reason)


def _touch_incident(cast: Cast, now: datetime) -> None:
    """The index is that of claims-triage, so its incident touched the search, too."""
    with current.acting_as(cast("jun")), transaction():
        for each in incidents.open_incidents():
            if (clock.now() - each.declared_at) < HOUR:
                found = incidents.incident(each.id, lock=True)
                impact_actions.add_window(
                    found,
                    systems.system(SYSTEM).id,
                    starts_at=now - 70 * MINUTE,
                    ends_at=now - 42 * MINUTE,
                    note="Its index is the same: searches returned clause 14.3.",
                )


def _repair(cast: Cast, now: datetime) -> None:
    """The clause becomes a case of the suite; the release passes, so Jun closes the finding."""
    with current.acting_as(cast("officer")), transaction():
        suite = evaluations.suite(SUITE)
        version = suite_actions.draft(suite)
        suite_actions.edit_draft(version, method=WITH_REGRESSION, cases=CASES)
        suite_actions.publish(version, suite)
    _run(cast, release(now), "repaired")
    with current.acting_as(cast("jun")), transaction():
        system = systems.system(SYSTEM)
        found = findings.open_finding(system.id, evaluations.suite(SUITE).id, MEASURE)
        if found is not None:
            finding_actions.close(found, note=REPAIR)


# ---- what is measured


def _run(cast: Cast, of: str, which: str) -> None:
    """Anna imports the log of a run; Meridian judges it and does what follows."""
    content = dict(log_of(SUITE, clock.now(), WRONG[which], cases=CASES, run=f"-{which}"))
    if which in {"halted", "repaired"}:
        content["samples"] = _with_regression(content["samples"], wrong=which == "halted")
    with current.acting_as(cast("anna")):
        with transaction():
            suite = evaluations.suite(SUITE)
            run_actions.import_run(
                io.BytesIO(json.dumps(content).encode()),
                system=systems.system(SYSTEM),
                suite=suite,
                version=evaluations.version(suite.id),
                release=of,
                name=f"{SUITE}-{of}-{which}.json",
            )
        jobs.drain(actor_of, of=current.actor().tenant_id)


def _with_regression(samples: list[Any], *, wrong: bool) -> list[Any]:
    """The same samples; the first wrong one, or right one, is the case of the withdrawn clause."""
    value = "I" if wrong else "C"
    place = next(n for n, s in enumerate(samples) if s["scores"]["grounded"]["value"] == value)
    return [*samples[:place], samples[place] | {"id": REGRESSION}, *samples[place + 1 :]]


def _count_answers(cast: Cast, since: datetime, until: datetime, share: float) -> None:
    """What the decision API answered at a stage, every six hours."""
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


# ---- what Meridian does


def _watch(cast: Cast) -> None:
    """As the job does every minute."""
    with _as_meridian(cast):
        watching.watch_tenant()


def _as_meridian(cast: Cast) -> AbstractContextManager[object]:
    who = cast("officer")
    return current.acting_as(founder(who.tenant_id, who.tenant_slug, who.tenant_name))
