"""The inbox: everything that needs this person."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Manifest, NavItem
from governance.publishing.inbox import actions, glossary, models, next_item, permissions, views

manifest = Manifest(
    name="inbox",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature,),
    navigation=(
        NavItem(
            label="Inbox",
            icon="inbox",
            endpoint="inbox.index",
            permission=permissions.OWN,
            order=5,
            group="platform",
            audience="operator",
        ),
    ),
    palette=(Command("Open inbox", "inbox.index", permissions.OWN),),
    audit=actions_in(actions),
    links={"InboxSnooze": EntryLink(endpoint="inbox.index", noun="snoozed item")},
    after_request=(next_item.redirect_to_next,),
)
