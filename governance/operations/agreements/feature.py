"""Service level agreements: versions, commitments, credit bands, acceptance."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    EntryLink,
    Manifest,
    NavItem,
    PortAnswer,
    SectionTab,
)
from governance.operations.agreements import (
    acceptance_actions,
    actions,
    contact_actions,
    documents,
    glossary,
    inbox,
    models,
    palette,
    permissions,
    proposal_actions,
    rehearsal_work,
    uses,
    views,
)
from governance.operations.objectives import ports
from governance.operations.systems.parts import SYSTEM_PARTS

manifest = Manifest(
    name="agreements",
    models=(models,),
    routes=(views.feature, views.operator_feature),
    navigation=(
        NavItem(
            label="Agreements",
            icon="file-certificate",
            endpoint="operator_agreements.index",
            permission=permissions.OPERATOR_VIEW,
            order=50,
            group="platform",
            audience="operator",
        ),
    ),
    tabs=(
        SectionTab(
            section="reliability",
            label="Agreements",
            endpoint="agreements.index",
            permission=permissions.VIEW,
            order=20,
            counts_everything=True,
        ),
    ),
    under=("objectives.index",),
    extensions=(GLOSSARY(*glossary.TERMS), SYSTEM_PARTS(uses.USED_BY)),
    work=(rehearsal_work.rehearse_all,),
    inbox=(inbox.AWAITING, inbox.ENDING, inbox.VENDOR_AWAITING, inbox.VENDOR_ENDING),
    palette=(
        Command("View agreements", "agreements.index", permissions.VIEW),
        Command("New agreement", "agreements.new", permissions.EDIT),
    ),
    search=(palette.agreements,),
    audit=actions_in(
        actions, proposal_actions, acceptance_actions, contact_actions, rehearsal_work
    ),
    links={
        "Agreement": EntryLink(endpoint="agreements.agreement", argument="agreement_id"),
        "AgreementVersion": EntryLink(
            endpoint="agreements.version_by_id", argument="agreement_version_id"
        ),
        "AgreementRehearsal": EntryLink(
            endpoint="operator_agreements.all_tenants", argument="rehearsal_id"
        ),
    },
    answers=(PortAnswer(ports.uses_of, uses.uses_of),),
    record_points=(documents.points_of,),
)
