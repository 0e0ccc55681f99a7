"""The demo's red teams: a finding closed by its case, a system without findings, one open."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from governance.assurance.controls import adoption_actions
from governance.assurance.frameworks import actions as adopting
from governance.assurance.red_teams import coverage, evidence_queries, queries, regression
from governance.assurance.red_teams.models import RedTeam, RedTeamFinding
from governance.demo import evaluation_story, red_team_story
from governance.foundation.comments import queries as comments
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.systems import actions as systems
from tests import make
from tests.demo.story_parts import NOW, Parts

pytestmark = pytest.mark.slow


def test_a_finding_is_closed_by_a_case_and_one_scenario_was_never_tried(app, isolated):
    with clock.frozen(NOW - timedelta(days=100)), make.acting("admin"):
        adopting.adopt_framework("nist-ai-rmf-1.0")
        adoption_actions.adopt([evaluation_story.CONTROL], with_evidence=False)
        for key in ("claims-triage", "support-assistant", "ad-copywriter", "policy-lookup"):
            found = systems.register(
                key=key, stage="live", name=key, lane="standard", purpose="x", owner_id=None
            )
            systems.add_feature(found, key="auto-approve", fallback="A person decides.")
    evaluated = evaluation_story.steps(Parts(), NOW)
    newest = max(step.at for step in evaluated)
    told = [*evaluated, *red_team_story.steps(Parts(), newest, NOW)]
    for step in sorted(told, key=lambda step: step.at):
        step.play()
    with clock.frozen(NOW), make.acting("admin", read_only=True):
        teams = session().scalars(select(RedTeam).order_by(RedTeam.number)).all()
        assert [each.phase for each in teams] == ["finished", "finished", "open"]
        found = session().scalars(select(RedTeamFinding).order_by(RedTeamFinding.number)).all()
        assert [(each.state, str(each.score)) for each in found] == [
            ("closed", "6.5"),
            ("open", "3.7"),
        ]
        assert regression.proof_of(found[0]).is_proved
        (linked,) = evidence_queries.linked([found[0].id])[found[0].id]
        assert linked.evidence.title.startswith("Evaluation of claims-triage")
        covered = {each.risk: each for each in coverage.covered((teams[0].id,))}
        assert covered["LLM06:2026"].never == ["Claims of 4,000 pages"]
        assert covered["LLM01:2026"].tried == queries.Tried(held=1, broke=1)
        [asked] = comments.discussion("red-team-finding", found[1].id).comments
        assert "@Anna Rossi" in asked.text and asked.writer == "Jun Chen"


def test_the_case_is_one_of_the_old_releases_last_run(app):
    newest = datetime(2026, 11, 25, 6, 24, tzinfo=UTC)
    case = red_team_story.regression_case(newest)
    assert case == red_team_story.regression_case(newest)
    assert case.startswith("claims-grounding-")
