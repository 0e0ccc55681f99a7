"""Two people who take the same step at the same moment, each on a connection of their own."""

import threading

from governance.kernel import current
from governance.kernel.db import transaction
from governance.kernel.errors import Stale
from governance.operations.rollouts import actions, queries
from governance.operations.rollouts.actions import RolloutDraft
from governance.operations.rollouts.standing import standing_of
from governance.operations.systems import actions as systems
from tests import make
from tests.waiting import MAX_WAIT_SECONDS

KEY = "advanced-twice"


def test_of_two_steps_at_the_same_moment_one_is_taken(committed_world):
    with make.acting("admin"):
        system = systems.register(
            key=KEY, name=KEY, lane="standard", purpose="Sorts.", owner_id=None
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
        rollout_id, seen = row.id, standing_of(row).fingerprint
    start, outcomes = threading.Barrier(2), []

    def step(role: str) -> None:
        with current.acting_as(make.actor(role)):
            start.wait(MAX_WAIT_SECONDS)
            try:
                with transaction():
                    actions.advance(queries.rollout(rollout_id), step="start", seen=seen)
            except Stale:
                outcomes.append("stale")
            else:
                outcomes.append("taken")

    threads = [threading.Thread(target=step, args=(role,)) for role in ("admin", "contributor")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)
    assert sorted(outcomes) == ["stale", "taken"]
    with make.acting("viewer", read_only=True):
        row = queries.rollout(rollout_id)
        assert (row.state, row.position) == ("running", 0)
        assert [each.step for each in queries.steps(rollout_id)] == ["start"]
