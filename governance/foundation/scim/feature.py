"""SCIM 2.0: a company's directory provisions people and groups, and ends their access."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.people.ports import directory_entry, link_directory_entry
from governance.foundation.privacy.events import PersonErased
from governance.foundation.scim import (
    admission,
    api,
    glossary,
    group_actions,
    jobs,
    models,
    permissions,
    user_actions,
    views,
)
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    Daily,
    EntryLink,
    Manifest,
    PortAnswer,
    Subscription,
)

manifest = Manifest(
    name="scim",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature, api.feature),
    under=("tenant_settings.settings", "people.members"),
    schedule=(Daily("forget old SCIM requests", jobs.forget_old_calls, at="02:41"),),
    palette=(Command("View provisioning (SCIM)", "scim.index", permissions.VIEW),),
    audit=actions_in(user_actions, group_actions),
    links={
        "DirectoryUser": EntryLink(endpoint="scim.index", noun="provisioned user"),
        "DirectoryGroup": EntryLink(endpoint="scim.index", noun="provisioned group"),
    },
    answers=(
        PortAnswer(directory_entry, admission.entry_of),
        PortAnswer(link_directory_entry, user_actions.link),
    ),
    subscribes=(Subscription(PersonErased, user_actions.forget_erased, order=50),),
)
