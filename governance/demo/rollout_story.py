"""The newest release of claims-triage stays in the shadow: its answers are worse than before.

Jun plans the rollout and requests its start, and the officer approves it. This week its evaluation
fails, so the gates keep it from everybody. The year-end freeze is in the calendar.
"""

from datetime import UTC, datetime, timedelta
from functools import partial

from governance.demo import evaluation_story
from governance.demo.cast import Cast
from governance.demo.story import StoryStep
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.kernel import clock, current
from governance.kernel.db import transaction
from governance.operations.rollouts import actions, freeze_actions, queries
from governance.operations.rollouts.actions import RolloutDraft
from governance.operations.rollouts.standing import standing_of
from governance.operations.systems import queries as systems

SYSTEM, FEATURE = "claims-triage", "auto-approve"
BEFORE = timedelta(days=9)  # before this week's run
PLAN = """All claims get the current release.
Open claims that the new release triaged are triaged again.
Adjusters are notified."""


def steps(cast: Cast, newest: datetime, now: datetime) -> list[StoryStep]:
    """Return what happens; `newest` is the time of this week's run."""
    at = newest - BEFORE
    return [
        StoryStep(at, partial(_plan, cast, newest, now)),
        StoryStep(at + timedelta(minutes=40), partial(_approve, cast)),
        StoryStep(at + timedelta(hours=2), partial(_freeze, cast)),
    ]


def _plan(cast: Cast, newest: datetime, now: datetime) -> None:
    earlier = newest - (evaluation_story.RELEASED + 1) * evaluation_story.WEEK
    with current.acting_as(cast("jun")), transaction():
        system = systems.system(SYSTEM)
        feature = next(each for each in systems.features(system.id) if each.key == FEATURE)
        row = actions.plan(
            RolloutDraft(
                feature_id=feature.id,
                change="model",
                release=evaluation_story.release_of(newest, now),
                previous=evaluation_story.release_of(earlier, now),
                summary="A larger model that reads whole policies, not only the cited clauses.",
                rollback_plan=PLAN,
                on_failure="halt",
                owner_id=cast.id("jun"),
            )
        )
        actions.request_step(
            row,
            step="start",
            seen=standing_of(row).fingerprint,
            reason="The suites have run, and nobody is served in the shadow.",
        )


def _approve(cast: Cast) -> None:
    with current.acting_as(cast("officer")), transaction():
        row = next(row[0] for row in queries.page_of({}).rows)
        if (found := queries.open_request(row)) is not None:
            approvals.approve(found, seen=fingerprint_seen(found))


def _freeze(cast: Cast) -> None:
    with current.acting_as(cast("officer")), transaction():
        year = clock.today().year
        freeze_actions.add_freeze(
            name="Year-end close",
            starts_at=datetime(year, 12, 18, tzinfo=UTC),
            ends_at=datetime(year + 1, 1, 4, tzinfo=UTC),
        )
