"""The demo's register: facts of every system, an agent to recertify, an outdated assessment."""

from datetime import timedelta

import pytest

from governance.assurance.frameworks import actions as adopting
from governance.demo import register_story
from governance.kernel import clock
from governance.operations.systems import actions, parts, queries
from tests import make

pytestmark = pytest.mark.usefixtures("database")


def ago(days):
    return clock.today() - timedelta(days=days)


def test_the_story_of_the_register_is_told_by_the_products_own_actions():
    start = clock.now()
    with clock.frozen(start - timedelta(days=400)), make.acting("compliance_officer"):
        adopting.adopt_framework("nist-ai-600-1")
        for key in register_story.FACTS:
            actions.register(
                key=key, stage="live", name=key, lane="high_risk", purpose="Works.", owner_id=None
            )
    events = list(register_story.acme(lambda _part: make.person_id("contributor"), ago))
    for event in sorted(events, key=lambda each: (each.day, each.hour)):
        at = start - (clock.today() - event.day)
        with clock.frozen(at), make.acting("compliance_officer"):
            event.act()
    with make.acting("compliance_officer", read_only=True):
        triage, agent = queries.system("claims-triage"), queries.system("refund-agent")
        assert queries.last_substantial(triage.id).substantial == ["model_family"]
        [record] = parts.outdated_of(triage)
        assert record.name == "Assessment Claims triage, generative AI"
        assert agent.valid_until == ago(-register_story.AGENT_ENDS) and agent.stage == "live"
        assert queries.system("policy-lookup").kind == "mcp_server"
        assert queries.system("ad-copywriter").ai_act_class == "minimal"
