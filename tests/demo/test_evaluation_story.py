"""The demo's evaluations: five weeks pass, two decide nothing, and this week fails."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.assurance.controls import adoption_actions
from governance.assurance.evaluation_findings.models import EvaluationFinding, FollowedRun
from governance.assurance.frameworks import actions as adopting
from governance.demo import evaluation_story
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.alerts.models import BudgetExhaustion
from governance.operations.evaluations.models import EvaluationRun
from governance.operations.evaluations.releases.promotion import promotion_verdict
from governance.operations.policies import queries as policies
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.demo.story_parts import NOW, Parts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def _told(app, module_transaction):
    """Play the story once for the tests below, which only read."""
    with clock.frozen(NOW - timedelta(days=100)), make.acting("admin"):
        adopting.adopt_framework("nist-ai-rmf-1.0")
        adoption_actions.adopt([evaluation_story.CONTROL], with_evidence=False)
        for key in ("claims-triage", "support-assistant", "ad-copywriter"):
            systems.register(
                key=key, stage="live", name=key, lane="standard", purpose="x", owner_id=None
            )
        triage = register.system("claims-triage", lock=True)
        systems.add_feature(triage, key="auto-approve", fallback="A person decides.")
    for step in sorted(evaluation_story.steps(Parts(), NOW), key=lambda step: step.at):
        step.play()


def test_a_release_makes_claims_triage_worse_and_this_week_it_misses_its_limit(_told):
    with clock.frozen(NOW), make.acting("admin"):
        query = (
            select(EvaluationRun.release, FollowedRun.outcome, FollowedRun.evidence_id)
            .join(FollowedRun, FollowedRun.run_id == EvaluationRun.id)
            .join(register.AISystem, register.AISystem.id == EvaluationRun.system_id)
            .where(register.AISystem.key == "claims-triage")
            .order_by(EvaluationRun.ran_at)
        )
        told = session().execute(query).all()
        (found,) = session().scalars(select(EvaluationFinding)).all()
        verdict = promotion_verdict(register.system("claims-triage").id, told[-1].release)
        assert [row.outcome for row in told] == ["passed"] * 5 + ["undecided"] * 2 + ["missed"]
        assert len({row.release for row in told[:5]}) == len({row.release for row in told[5:]}) == 1
        assert all(row.evidence_id for row in told[:5])
        assert found.measure == "hallucination" and found.is_open
        assert [reason.measure for reason in verdict.reasons if reason.verdict == "fail"] == [
            "hallucination"
        ]


def test_the_error_budget_tightened_the_tier_a_week_ago_and_two_people_took_it_back(_told):
    with clock.frozen(NOW), make.acting("admin"):
        gone = session().scalars(select(BudgetExhaustion)).one()
        assert (gone.tier, gone.restored_at) == ("strict", None)
        assert timedelta(days=6) < NOW - gone.created_at < timedelta(days=8)
        tightened, undone = policies.version(gone.policy_number), policies.current_policy()
        assert tightened.reason == "The error budget of claims-triage · Grounded cases is gone."
        assert (undone.number, undone.content.tier) == (gone.policy_number + 1, "standard")
