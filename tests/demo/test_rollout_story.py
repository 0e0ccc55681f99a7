"""What the demo tells of rollouts: the newest release of claims-triage is in the shadow."""

from datetime import timedelta

from governance.demo import rollout_story
from governance.kernel import clock
from governance.operations.rollouts import queries
from governance.operations.rollouts.standing import standing_of
from governance.operations.systems import actions as systems
from tests import make
from tests.demo.story_parts import NOW, Parts


def test_two_people_start_the_newest_release_in_the_shadow_and_nobody_gets_it(app, isolated):
    with clock.frozen(NOW - timedelta(days=100)), make.acting("admin"):
        system = systems.register(
            key="claims-triage", name="Claims", lane="high_risk", purpose="x", owner_id=None
        )
        system_id = system.id
        systems.add_feature(system, key="auto-approve", fallback="A person decides.")
    for step in rollout_story.steps(Parts(), NOW, NOW):
        step.play()
    with clock.frozen(NOW), make.acting("viewer", read_only=True):
        (row,) = queries.rollouts_of(system_id)
        at = standing_of(row[0])
        assert (row[0].release, row[0].previous) == ("2026.11.2", "2026.9.3")
        assert (row[0].state, row[0].stage.name) == ("running", "Shadow")
        assert [each.share for each in queries.serving()] == [0]
        assert at.blockers and at.people == 2
        assert [each.name for each in queries.freezes()] == ["Year-end close"]
