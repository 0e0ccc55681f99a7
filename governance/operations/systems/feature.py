"""The register of AI systems and their features."""

from governance.foundation.api_keys.ports import subjects
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Manifest, NavItem, PortAnswer
from governance.operations.systems import (
    actions,
    events,
    glossary,
    horizon_views,
    inbox,
    law_confirmation,
    models,
    outdated_actions,
    outdated_views,
    palette,
    permissions,
    queries,
    retirement_actions,
    system_parts,
    version_actions,
    version_views,
    views,
)
from governance.operations.systems.parts import SYSTEM_PARTS

# Importing a module adds its routes to the shared feature.
VIEW_MODULES = (views, version_views, horizon_views, outdated_views)

manifest = Manifest(
    name="systems",
    models=(models,),
    routes=tuple({module.feature: None for module in VIEW_MODULES}),
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
        Command("View model retirements", "systems.model_retirements", permissions.VIEW),
    ),
    inbox=(inbox.RECERTIFY,),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        SYSTEM_PARTS(
            system_parts.FEATURES,
            system_parts.KEYS,
            system_parts.MODELS_TAB,
            system_parts.USED_BY_KEYS,
        ),
    ),
    search=(palette.ai_systems,),
    audit=actions_in(
        actions, version_actions, retirement_actions, outdated_actions, law_confirmation
    ),
    publishes=(events.SystemChanged,),
    links={
        "AISystem": EntryLink(endpoint="systems.system", argument="system_id", noun="AI system")
    },
    answers=(PortAnswer(subjects, queries),),
)
