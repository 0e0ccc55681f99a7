"""API keys: how machines get access."""

from governance.foundation.api_keys import (
    actions,
    description,
    glossary,
    inbox,
    jobs,
    models,
    palette,
    permissions,
    queries,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, Daily, EntryLink, Manifest, PortAnswer
from governance.kernel.web.identity import identity

manifest = Manifest(
    name="api_keys",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature, description.feature),
    api=description.ITSELF,
    under=("tenant_settings.settings", "people.members"),
    schedule=(Daily("delete answers to batches", jobs.delete_answers, at="02:29"),),
    palette=(
        Command("Create API key", "api_keys.new", permissions.MANAGE, also="new token machine"),
        Command("View API keys", "api_keys.index", permissions.VIEW, also="token settings"),
    ),
    search=(palette.api_keys,),
    inbox=inbox.SOURCES,
    audit=actions_in(actions),
    links={"ApiKey": EntryLink(endpoint="api_keys.index", noun="API key")},
    answers=(
        PortAnswer(identity.keys_of, queries.keys_for),
        PortAnswer(identity.note_key_use, actions.record_use),
    ),
)
