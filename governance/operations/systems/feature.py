"""The register of AI systems and their features."""

from governance.foundation.api_keys.ports import subjects
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Command, EntryLink, Manifest, NavItem, PortAnswer
from governance.operations.systems import actions, models, palette, permissions, queries, views

manifest = Manifest(
    name="systems",
    models=(models,),
    routes=(views.feature,),
    navigation=(
        NavItem(
            label="AI systems",
            icon="cpu",
            endpoint="systems.index",
            permission=permissions.VIEW,
            order=50,
            group="operations",
            count_word="stopped",
        ),
    ),
    palette=(
        Command(
            "Register an AI system", "systems.registration", permissions.REGISTER, also="new add"
        ),
    ),
    search=(palette.ai_systems,),
    audit=actions_in(actions),
    links={
        "AISystem": EntryLink(endpoint="systems.system", argument="system_id", noun="AI system")
    },
    answers=(PortAnswer(subjects, queries),),
)
