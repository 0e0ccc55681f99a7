"""Model cards of AI systems: assembled from the record, published, public."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import EntryLink, Manifest, ObjectCommand
from governance.operations.systems import palette as systems
from governance.publishing.model_cards import (
    actions,
    card_approval,
    models,
    permissions,
    public_views,
    system_parts,
    views,
)

manifest = Manifest(
    name="model_cards",
    models=(models,),
    routes=(views.feature, public_views.public),
    under=("systems.index",),
    approvals=(card_approval.MODEL_CARD,),
    systems=(system_parts.TAB, system_parts.RECORDS),
    palette=(
        ObjectCommand(
            systems.KIND,
            "View the model card of {title}",
            "model_cards.index",
            "system_key",
            permissions.VIEW,
        ),
    ),
    audit=actions_in(actions),
    links={
        "ModelCard": EntryLink(
            endpoint="model_cards.by_id", argument="model_card_id", noun="model card"
        ),
        "KnownFailureText": EntryLink(
            endpoint="model_cards.by_text",
            argument="known_failure_text_id",
            noun="text of a known failure",
        ),
    },
)
