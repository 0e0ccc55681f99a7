"""Intake: product teams propose AI systems, triage classifies them, others approve them."""

from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Manifest, PortAnswer
from governance.operations.intake import (
    actions,
    glossary,
    inbox,
    intake_approval,
    law,
    law_views,
    models,
    palette,
    permissions,
    system_parts,
    views,
)
from governance.operations.systems.parts import SYSTEM_PARTS
from governance.operations.systems.ports import law_in_force

# Importing a module adds its routes to the shared feature.
VIEW_MODULES = (views, law_views)

manifest = Manifest(
    name="intake",
    models=(models,),
    routes=tuple({module.feature: None for module in VIEW_MODULES}),
    under=("systems.index",),
    inbox=(inbox.UNANSWERED, inbox.TO_CONFIRM),
    palette=(
        Command("Propose an AI system", "intake.new", permissions.PROPOSE, also="new intake"),
        Command("View proposed AI systems", "intake.index", permissions.VIEW, also="intake"),
    ),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        SYSTEM_PARTS(system_parts.DUTIES_TAB),
        APPROVAL_KINDS(intake_approval.PROPOSAL),
    ),
    search=(palette.proposals,),
    audit=actions_in(actions),
    links={
        "SystemProposal": EntryLink(
            endpoint="intake.proposal", argument="proposal_id", noun="proposed AI system"
        )
    },
    answers=(PortAnswer(law_in_force, law.current_version),),
)
