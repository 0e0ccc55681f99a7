"""Two people who take the same step at the same time, each on a connection of their own."""

import threading
from uuid import UUID

import pytest

from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import Stale
from governance.operations.rollouts import actions, queries
from governance.operations.rollouts.actions import RolloutDraft
from governance.operations.rollouts.status import status_of
from governance.operations.systems import actions as systems
from tests import make
from tests.migrated_databases import migrated_database
from tests.operations.rollouts.rollout_helpers import (
    NEW,
    OLD,
    evaluate,
    pass_time,
    planned,
    running_at,
    state_of,
    world,
)
from tests.waiting import MAX_WAIT_SECONDS

KEY = "advanced-twice"


@pytest.fixture(scope="module")
def race_database(server, worker_id):
    """Return a separate database: other tests commit an AI system of the same slug."""
    return migrated_database(f"rollouts_at_once_{worker_id}")


def test_of_two_steps_at_the_same_moment_one_is_taken(committed_world):
    with make.acting("admin"):
        system = systems.register(
            key=KEY, stage="live", name=KEY, lane="standard", purpose="Sorts.", owner_id=None
        )
        feature = systems.add_feature(system, key="sort", fallback="A person sorts.")
        row = actions.plan(
            RolloutDraft(
                feature_id=feature.id,
                change="model",
                release="2026.12.0",
                previous="2026.11.2",
                summary="A larger model.",
                rollback_plan="Serve 2026.11.2.",
                on_failure="halt",
                owner_id=None,
            )
        )
        rollout_id, seen = row.id, status_of(row).fingerprint
    assert _taken_by_two(rollout_id, "start", seen) == ["stale", "taken"]
    with make.acting("viewer", read_only=True):
        row = queries.rollout(rollout_id)
        assert (row.state, row.position) == ("running", 0)
        assert [each.step for each in queries.steps(rollout_id)] == ["start"]


def test_of_two_promotions_at_the_same_moment_one_is_taken(committed_world):
    world()
    for release in (OLD, NEW):
        evaluate(release=release)
    rollout_id = planned()
    running_at(0, rollout_id)
    pass_time(rollout_id)
    with make.acting("viewer", read_only=True):
        seen = status_of(queries.rollout(rollout_id)).fingerprint
    assert _taken_by_two(rollout_id, "promote", seen) == ["stale", "taken"]
    assert state_of(rollout_id) == ("running", "1%")


def _taken_by_two(rollout_id: UUID, step: str, seen: str) -> list[str]:
    """Let two people take a step at the same time. Return their results, in order."""
    start, outcomes = threading.Barrier(2), list[str]()

    def take(role: str) -> None:
        with current.acting_as(make.actor(role)):
            start.wait(MAX_WAIT_SECONDS)
            try:
                with transaction():
                    actions.advance(queries.rollout(rollout_id), step=step, seen=seen)
            except Stale:
                outcomes.append("stale")
            else:
                outcomes.append("taken")

    threads = [threading.Thread(target=take, args=(role,)) for role in ("admin", "contributor")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)
    return sorted(outcomes)
