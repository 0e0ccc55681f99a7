"""Risks of AI systems: scores before and after controls, treatment and acceptance."""

from governance.assurance.controls import ports
from governance.assurance.risks import (
    acceptance_actions,
    acceptance_approval,
    acceptance_views,
    actions,
    discussions,
    glossary,
    inbox,
    jobs,
    mitigation_actions,
    models,
    palette,
    permissions,
    report_facts,
    scale_actions,
    score_actions,
    system_parts,
    views,
)
from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.foundation.comments.subjects import COMMENT_SUBJECTS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    EntryLink,
    Hourly,
    Manifest,
    PortAnswer,
    SectionTab,
    Subscription,
)
from governance.operations.systems.events import SystemChanged
from governance.operations.systems.parts import SYSTEM_PARTS

# Importing these modules adds their routes to views.feature.
VIEWS = (views, acceptance_views)


manifest = Manifest(
    name="risks",
    models=(models,),
    routes=(views.feature,),
    under=("systems.index",),
    tabs=(
        SectionTab(
            section="ai_systems",
            label="Risks",
            endpoint="risks.index",
            permission=permissions.VIEW,
            order=40,
            counts_everything=True,
        ),
    ),
    schedule=(Hourly("keep scores of risks", jobs.keep_scores, minute=41),),
    inbox=inbox.SOURCES,
    extensions=(
        GLOSSARY(*glossary.TERMS),
        APPROVAL_KINDS(acceptance_approval.RISK_ACCEPTANCE),
        COMMENT_SUBJECTS(discussions.RISK),
        SYSTEM_PARTS(
            system_parts.RISKS_TAB, system_parts.OUTDATED, system_parts.OPEN, system_parts.USED_BY
        ),
    ),
    palette=(
        Command("View risks", "risks.index", permissions.VIEW, also="heat map register appetite"),
        Command("New risk", "risks.create", permissions.MANAGE, also="add create"),
        Command("Change the scale of risks", "risks.scale", permissions.MANAGE, also="appetite"),
    ),
    search=(palette.risks,),
    subscribes=(Subscription(SystemChanged, acceptance_actions.lapse_of_system),),
    answers=(PortAnswer(ports.reported_risks, report_facts.reported_risks),),
    audit=actions_in(actions, mitigation_actions, acceptance_actions, scale_actions, score_actions),
    links={
        "Risk": EntryLink(endpoint="risks.risk", argument="risk_id"),
        "RiskScale": EntryLink(endpoint="risks.scale", single=True, noun="scale of risks"),
    },
)
