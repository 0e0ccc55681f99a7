"""Acme's register of AI systems: an agent to recertify, an MCP server, a substantial change.

The change made an assessment outdated. Risk classes are confirmed after the law changed.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from governance.assurance.assessments import assessment_actions
from governance.assurance.frameworks import queries as frameworks
from governance.demo.story import StoryEvent
from governance.kernel import clock
from governance.operations.intake import law_actions, law_queries
from governance.operations.systems import actions, queries

FACTS: Mapping[str, Mapping[str, Any]] = {
    "claims-triage": {
        "team": "Claims automation",
        "intended_users": "21 adjusters; 38,400 policyholders are affected.",
        "autonomy": "limits",
        "autonomy_note": "Approves under €1,500, all else is advice",
        "ai_act_class": "high_risk",
        "ai_act_reason": (
            "Annex III, point 5(c): it assesses risks of natural persons in life and health"
            " insurance. Confirmed by legal."
        ),
        "eu_role": "both",
        "models": [
            {"provider": "Helio", "name": "helio-large-2", "version": "2025-05"},
            {"provider": "Helio", "name": "helio-small-3", "version": "2025-09"},
        ],
        "dependencies": ["Helio Cloud", "document-ocr"],
        "capabilities": ["Ranks new claims by urgency", "Summarises a claim with its sources"],
        "limits": [
            "Doesn't decide on bodily injury",
            "Doesn't read handwriting",
            "May cite an older wording of a clause",
        ],
        "memory_control": "none: each claim is read from its own file",
        "sources_control": "shown with each approval",
        "verify_control": "a person reviews on request, within 2 days",
        "why_shown": (
            "A model read your claim and its documents and suggested this decision. Ask for a"
            " person at any time."
        ),
    },
    "support-assistant": {
        "team": "Customer service",
        "intended_users": "Policyholders who write in the app; 60 agents who take over.",
        "autonomy": "advice",
        "autonomy_note": "Answers questions, changes nothing",
        "ai_act_class": "transparency",
        "ai_act_reason": "Article 50(1): it talks with people, who are told so.",
        "eu_role": "both",
        "models": [{"provider": "Helio", "name": "helio-small-3", "version": "2025-09"}],
        "data_sets": ["help-articles 40"],
        "dependencies": ["Helio Cloud"],
        "capabilities": ["Answers from the help articles", "Transfers to a person"],
        "limits": ["Doesn't know your open claims", "Doesn't give legal advice"],
        "memory_control": "a conversation is forgotten after 30 days; users can delete it",
        "sources_control": "each answer links its article",
        "tone_control": "short or detailed",
        "verify_control": "opens a search of the help center",
        "why_shown": "An assistant wrote this answer from our help articles.",
    },
    "ad-copywriter": {
        "team": "Marketing",
        "intended_users": "9 people of marketing.",
        "autonomy": "approval",
        "autonomy_note": "Marketing approves each ad",
        "ai_act_class": "minimal",
        "ai_act_reason": "Drafts for people who edit and approve them; Article 50(4) by the editor.",
        "eu_role": "deployer",
        "models": [{"provider": "Northwind", "name": "nw-chat-2", "version": ""}],
        "data_sets": ["campaigns-2025 1"],
        "dependencies": ["Northwind API"],
        "capabilities": ["Drafts and translates ads"],
        "limits": ["Doesn't check claims about prices"],
    },
}
LARGE_3 = [
    {"provider": "Helio", "name": "helio-large-3", "version": "2026-08"},
    {"provider": "Helio", "name": "helio-small-3", "version": "2025-09"},
]
REFUND_AGENT: Mapping[str, Any] = {
    "team": "Customer service",
    "intended_users": "Agents of customer service.",
    "autonomy": "approval",
    "autonomy_note": "A person approves each refund",
    "ai_act_class": "minimal",
    "ai_act_reason": "It prepares refunds that a person approves.",
    "eu_role": "both",
    "models": [{"provider": "Helio", "name": "helio-small-3", "version": "2025-09"}],
    "dependencies": ["Helio Cloud", "Policy lookup"],
    "limits": ["Doesn't refund more than €200"],
    "tools": ["payments.refund", "crm.read_customer", "policy-lookup.search"],
    "tool_permissions": ["Read customers", "Refund up to €200 with approval"],
}
POLICY_LOOKUP: Mapping[str, Any] = {
    "team": "Platform",
    "intended_users": "Agents and assistants of Acme.",
    "autonomy": "advice",
    "dependencies": ["Policy archive"],
    "capabilities": ["Returns the clauses that were in force on a day"],
    "limits": ["Doesn't say whether a claim is covered"],
    "tools": ["search", "read_wording"],
    "tool_permissions": ["Read published wordings"],
}
AGENT_ENDS = 12  # days from today
CONFIRMED = ("ad-copywriter", "refund-agent")


def acme(person: Callable[[str], UUID], ago: Callable[[int], date]) -> Iterator[StoryEvent]:
    """Yield the steps. `person` returns the id of a part."""
    for number, key in enumerate(FACTS):
        yield StoryEvent(ago(300 - number), "officer", partial(_describe_in_service, key), 9)
    agent = partial(_register_tools, "refund-agent", person("anna"), ago(-AGENT_ENDS))
    server = partial(_register_tools, "policy-lookup", person("jun"), ago(-140))
    yield StoryEvent(ago(200), "officer", agent, 9)
    yield StoryEvent(ago(160), "officer", server, 9)
    yield StoryEvent(ago(140), "officer", partial(_assess, ago(230), ago(140)), 9)
    yield StoryEvent(ago(75), "officer", _change_model, 9)
    yield StoryEvent(ago(50), "officer", _confirm_classes, 9)


def _describe(key: str, facts: Mapping[str, Any], reason: str = "") -> None:
    found = queries.system(key, lock=True)
    actions.edit(
        found,
        seen=actions.revision(found),
        name=found.name,
        purpose=found.purpose,
        owner_id=found.owner_id,
        facts=facts,
        reason=reason or "Entered for the EU AI Act.",
    )


def _describe_in_service(key: str) -> None:
    since = queries.system(key).stage_since
    _describe(key, {**FACTS[key], "placed_on": since})


def _confirm_classes() -> None:
    """Confirm the risk classes that a change of the law affects and that need confirmation."""
    found = [queries.system(key) for key in CONFIRMED]
    law_actions.confirm([each.id for each in found if law_queries.needs_confirmation(each)])


def _change_model() -> None:
    """Change to another model family than the one that was assessed."""
    _describe("claims-triage", {"models": LARGE_3}, "Helio ended helio-large-2.")


def _register_tools(key: str, owner: UUID, ends: date) -> None:
    is_agent = key == "refund-agent"
    system = actions.register(
        key=key,
        name="Refund agent" if is_agent else "Policy lookup",
        lane="standard",
        purpose=(
            "Prepares refunds of small amounts for agents of customer service."
            if is_agent
            else "Lets agents search the published policy wordings."
        ),
        owner_id=owner,
        kind="agent" if is_agent else "mcp_server",
        stage="in_review",
        facts={**REFUND_AGENT, "placed_on": clock.today()} if is_agent else POLICY_LOOKUP,
        valid_until=ends,
    )
    actions.move(system, "live", reason="Tools and permissions were reviewed.")


def _assess(first: date, last: date) -> None:
    assessment_actions.start_assessment(
        frameworks.framework("nist-ai-600-1").id,
        title="Claims triage, generative AI",
        scope=str(queries.system("claims-triage").id),
        period_from=first,
        period_to=last - timedelta(days=1),
        targets=2,
    )
