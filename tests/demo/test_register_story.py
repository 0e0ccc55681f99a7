"""The demo's register: facts of every system, an agent to recertify, an outdated assessment."""

from datetime import UTC, datetime, timedelta

import pytest

from governance.assurance.frameworks import actions as adopting
from governance.demo import register_story
from governance.kernel import clock
from governance.operations.intake import law, law_queries
from governance.operations.systems import actions, parts, queries
from tests import make

pytestmark = pytest.mark.usefixtures("database")


def ago(days):
    return clock.today() - timedelta(days=days)


def test_the_story_of_the_register_is_told_by_the_products_own_actions():
    start = datetime(2026, 12, 3, 9, tzinfo=UTC)
    with clock.frozen(start):
        _tell(start)
    with clock.frozen(start), make.acting("compliance_officer", read_only=True):
        _check()


def _tell(start):
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


def _check():
    triage, agent = queries.system("claims-triage"), queries.system("refund-agent")
    assert queries.last_substantial(triage.id).substantial == ["model_family"]
    [record] = parts.outdated_of(triage)
    assert record.name == "Assessment Claims triage, generative AI"
    assert agent.valid_until == ago(-register_story.AGENT_ENDS) and agent.stage == "live"
    assert queries.system("policy-lookup").kind == "mcp_server"
    copywriter = queries.system("ad-copywriter")
    assert (copywriter.ai_act_class, copywriter.eu_role) == ("minimal", "deployer")
    assert (triage.eu_role, triage.placed_on) == ("both", ago(400))
    assert copywriter.law_version == agent.law_version == law.AMENDED
    assert triage.law_version == law.ORIGINAL
    assert [each.key for each in law_queries.page_of().rows] == [
        "claims-triage",
        "support-assistant",
    ]
