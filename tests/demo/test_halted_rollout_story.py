"""The demo's halted rollout: a gate fails at 5%, the cause is repaired, two people resume."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.assurance.incidents import queries as incidents
from governance.assurance.incidents import timeline
from governance.demo import evaluation_story, halted_rollout_story
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.rollouts import queries
from governance.operations.rollouts.status import status_of
from governance.operations.systems import actions as systems
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


def _publish_suite() -> None:
    """Publish the suite of the weekly runs."""
    told = evaluation_story.CLAIMS
    with make.acting("compliance_officer"):
        suite = suite_actions.create(
            key=told.key, name=told.name, purpose=told.purpose, pack=told.pack
        )
        suite_actions.publish(evaluations.versions(suite.id)[0], suite)


def test_a_gate_halts_the_release_at_5_percent_and_two_people_resume_it(app, isolated):
    with clock.frozen(NOW - timedelta(days=100)), make.acting("admin"):
        system = systems.register(
            key="claims-triage",
            stage="live",
            name="Claims",
            lane="high_risk",
            purpose="x",
            owner_id=None,
        )
        triage = system.id
        for key in ("auto-approve", "summarise"):
            systems.add_feature(system, key=key, fallback="A person decides.")
    with clock.frozen(NOW - timedelta(days=25)):
        red_team_helpers.finished("claims-triage")
        _publish_suite()
    asked = list[datetime]()
    ready = partial(asked.append, NOW)
    _play(halted_rollout_story.steps(Parts(), NOW, ready=ready))
    assert _served() == [(500, "running")] and len(asked) == 2
    _play(halted_rollout_story.halted(Parts(), NOW))
    assert _served() == [(0, "halted")]
    declared = NOW - timedelta(minutes=48)
    begun = NOW - timedelta(minutes=70)
    incident_id = incident_helpers.declare(at=declared, systems=[triage], impact_from=begun)
    _play(halted_rollout_story.resumed(Parts(), NOW))
    assert _served() == [(500, "running")]
    with clock.frozen(NOW), make.acting("viewer", read_only=True):
        row = queries.rollouts_of(triage)[0][0]
        assert (row.release, row.previous) == ("2026.12.0", "2026.11.2")
        told = [
            (each.step, each.requested_by is not None, each.taken_by is not None)
            for each in reversed(queries.steps(row.id))
        ]
        assert told == [
            ("start", True, True),
            ("promote", True, True),
            ("promote", True, True),
            ("halt", False, False),
            ("resume", True, True),
        ]
        assert queries.steps(row.id)[1].cause == "Grounded summaries"
        at = status_of(row)
        assert [each.reading.name for each in at.results if each.verdict == "fail"] == []
        assert at.people == 2 and at.dwell_left
        assert [each.name for each in queries.freezes()] == ["Year-end close"]
        (found,) = session().scalars(select(EvaluationFinding))
        assert found.closed_at is not None
        incident = incidents.incident(incident_id)
        impacts = incidents.impacts_of([incident_id])[incident_id]
        said = [each.says for each in timeline.timeline(incident, impacts).entries]
        for past in ("halted", "resumed"):
            assert f"{past} RO-1 of claims-triage, release 2026.12.0, at 5%" in said


@pytest.mark.parametrize(("month", "day", "year"), [(12, 17, 2026), (12, 18, 2027), (1, 3, 2027)])
def test_nothing_of_the_story_falls_into_its_freeze(database, month, day, year):
    now = datetime(2026 if month > 1 else 2027, month, day, 9, tzinfo=UTC)
    with clock.frozen(now - timedelta(days=17)):
        halted_rollout_story.plan_freeze(Parts(), now)
    with clock.frozen(now), make.acting("viewer", read_only=True):
        (freeze,) = queries.freezes()
        assert freeze.starts_at == datetime(year, 12, 18, tzinfo=UTC)
