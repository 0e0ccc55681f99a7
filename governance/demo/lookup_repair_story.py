"""Release 2026.12.0 of policy-lookup: today's evaluation finds that its index lost its flags.

It shares the index of claims-triage, so today's incident affected the search, too. The index
is rebuilt, the case is added to the suite, and the next run passes.

    steps(…)       the feature and the suite
    found(…)       before the incident of today is declared
    repaired(…)    once the index is rebuilt
"""

from datetime import datetime, timedelta
from functools import partial

from governance.assurance.incidents import impact_actions
from governance.assurance.incidents import queries as incidents
from governance.demo import evaluation_story
from governance.demo.cast import Cast
from governance.demo.halted_rollout_story import release
from governance.demo.story import StoryStep
from governance.demo.wording_suites import WordingSuite
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.operations.systems import actions as register
from governance.operations.systems import queries as systems

SYSTEM, FEATURE = "policy-lookup", "search"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PUBLISHED, FOUND, TOUCHED, REPAIRED = 9.2 * DAY, 92 * MINUTE, 30 * MINUTE, 17 * MINUTE
SUITE = WordingSuite(
    key="clause-lookup",
    name="Clause lookup",
    purpose="Searches return clauses that are in force.",
    measure="grounded-answers",
    measures="Grounded answers",
    method="Each answer is looked up in the wording that was in force on the day of the question.",
    system=SYSTEM,
)
REPAIR = (
    "The index has the flags of withdrawn clauses again. Clause 14.3 is a case of Clause lookup"
    " from now on, and it passes."
)


def steps(cast: Cast, now: datetime) -> list[StoryStep]:
    return [StoryStep(now - PUBLISHED, partial(_publish, cast))]


def found(cast: Cast, now: datetime) -> list[StoryStep]:
    """Return the steps before the incident of today is declared."""
    return [StoryStep(now - FOUND, partial(_find, cast, now))]


def repaired(cast: Cast, now: datetime) -> list[StoryStep]:
    """Return the steps after the index is rebuilt."""
    return [
        StoryStep(now - TOUCHED, partial(_touch_incident, cast, now)),
        StoryStep(now - REPAIRED, partial(_repair, cast, now)),
    ]


def _publish(cast: Cast) -> None:
    with current.acting_as(cast("admin")), transaction():
        system = systems.system(SYSTEM, lock=True)
        register.add_feature(system, key=FEATURE, fallback="Agents search the wordings by keyword")
    SUITE.publish(cast)


def _find(cast: Cast, now: datetime) -> None:
    evaluation_story.state(cast, SYSTEM, release(now))
    SUITE.run(cast, release(now), "found", 34, with_case=True)


def _touch_incident(cast: Cast, now: datetime) -> None:
    """Add the search to the incident of the last hour, as Jun."""
    with current.acting_as(cast("jun")), transaction():
        for each in incidents.open_incidents():
            if (clock.now() - each.declared_at) < HOUR:
                incident = incidents.incident(each.id, lock=True)
                impact_actions.add_window(
                    incident,
                    systems.system(SYSTEM).id,
                    starts_at=now - 70 * MINUTE,
                    ends_at=now - 42 * MINUTE,
                    note="Its index is the same: searches returned clause 14.3.",
                )


def _repair(cast: Cast, now: datetime) -> None:
    SUITE.add_case(cast)
    SUITE.run(cast, release(now), "repaired", 2, with_case=True)
    SUITE.close_finding(cast, REPAIR)
