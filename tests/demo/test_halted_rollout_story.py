"""What the demo tells of a halt: a gate fails at 5%, the cause is repaired, a person resumes."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.assurance.incidents import queries as incidents
from governance.assurance.incidents import timeline
from governance.demo import halted_rollout_story
from governance.kernel import clock
from governance.kernel.db import session
from governance.operations.rollouts import queries
from governance.operations.rollouts.standing import standing_of
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.incidents import incident_helpers
from tests.assurance.red_teams import red_team_helpers
from tests.demo.story_parts import NOW, Parts

pytestmark = pytest.mark.slow


def _play(steps) -> None:
    for step in steps:
        step.play()


def _served() -> list[tuple[int, str]]:
    with make.acting("viewer", read_only=True):
        return [(each.share, each.state) for each in queries.serving()]


def test_a_gate_halts_the_release_at_5_percent_and_a_person_resumes_it(app, isolated):
    with clock.frozen(NOW - timedelta(days=100)), make.acting("admin"):
        for key in ("policy-lookup", "claims-triage"):
            systems.register(key=key, name=key, lane="standard", purpose="x", owner_id=None)
    with clock.frozen(NOW - timedelta(days=20)):
        red_team_helpers.finished("policy-lookup")
    _play(halted_rollout_story.steps(Parts(), NOW))
    assert _served() == [(500, "running")]
    _play(halted_rollout_story.halted(Parts(), NOW))
    assert _served() == [(0, "halted")]
    with make.acting("viewer", read_only=True):
        triage = register.system("claims-triage").id
    declared = NOW - timedelta(minutes=48)
    incident_id = incident_helpers.declare(at=declared, systems=[triage])
    _play(halted_rollout_story.resumed(Parts(), NOW))
    assert _served() == [(500, "running")]
    with clock.frozen(NOW), make.acting("viewer", read_only=True):
        row = queries.rollouts_of(register.system("policy-lookup").id)[0][0]
        assert (row.release, row.previous) == ("2026.12.0", "2026.11.2")
        told = [(each.step, each.taken_by is None) for each in reversed(queries.steps(row.id))]
        assert told == [
            ("start", False),
            ("promote", False),
            ("promote", False),
            ("halt", True),
            ("resume", False),
        ]
        assert queries.steps(row.id)[1].cause == "Grounded answers"
        assert not standing_of(row).blockers
        (found,) = session().scalars(select(EvaluationFinding))
        assert found.closed_at is not None
        incident = incidents.incident(incident_id)
        impacts = incidents.impacts_of([incident_id])[incident_id]
        said = [each.says for each in timeline.timeline(incident, impacts).entries]
        for past in ("halted", "resumed"):
            assert f"{past} RO-1 of policy-lookup, release 2026.12.0, at 5%" in said
