"""Intake: product teams propose AI systems, triage classes them, another person opens them."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Command, EntryLink, Manifest
from governance.operations.intake import (
    actions,
    inbox,
    intake_approval,
    models,
    palette,
    permissions,
    views,
)

manifest = Manifest(
    name="intake",
    models=(models,),
    routes=(views.feature,),
    under=("systems.index",),
    inbox=(inbox.UNANSWERED,),
    palette=(
        Command("Propose an AI system", "intake.new", permissions.PROPOSE, also="new intake"),
        Command("View proposed AI systems", "intake.index", permissions.VIEW, also="intake"),
    ),
    search=(palette.proposals,),
    audit=actions_in(actions),
    links={
        "SystemProposal": EntryLink(
            endpoint="intake.proposal", argument="proposal_id", noun="proposed AI system"
        )
    },
    approvals=(intake_approval.PROPOSAL,),
)
