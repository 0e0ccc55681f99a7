"""Model cards of AI systems: assembled from the record, and published on a public page."""

from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Daily, EntryLink, Manifest, ObjectCommand
from governance.operations.systems import palette as systems
from governance.operations.systems.parts import SYSTEM_PARTS
from governance.publishing.model_cards import (
    actions,
    card_approval,
    file_actions,
    file_views,
    glossary,
    jobs,
    models,
    permissions,
    public_views,
    system_parts,
    views,
)

# Importing each module adds its routes to the same feature.
VIEW_MODULES = (views, file_views)

manifest = Manifest(
    name="model_cards",
    models=(models,),
    routes=(*{module.feature: None for module in VIEW_MODULES}, public_views.public),
    under=("systems.index",),
    schedule=(Daily("tidy model cards", jobs.remove_unreferenced_files, at="03:45"),),
    work=(jobs.make_card_file,),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        APPROVAL_KINDS(card_approval.MODEL_CARD),
        SYSTEM_PARTS(system_parts.TAB, system_parts.RECORDS),
    ),
    palette=(
        ObjectCommand(
            systems.KIND,
            "View the model card of {title}",
            "model_cards.index",
            "system_key",
            permissions.VIEW,
        ),
    ),
    audit=actions_in(actions, file_actions),
    links={
        "ModelCard": EntryLink(
            endpoint="model_cards.by_id", argument="model_card_id", noun="model card"
        ),
        "KnownFailureText": EntryLink(
            endpoint="model_cards.by_text",
            argument="known_failure_text_id",
            noun="text of a known failure",
        ),
        "CardRelease": EntryLink(
            endpoint="model_cards.by_release",
            argument="card_release_id",
            noun="release of a model card",
        ),
        "CardFile": EntryLink(no_page="its version is on the pages of the AI system"),
    },
)
