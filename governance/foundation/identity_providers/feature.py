"""Identity providers: how a tenant's people sign in, and how two people change it."""

from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.foundation.identity_providers import (
    approval_kinds,
    change_actions,
    collectors,
    connection_actions,
    glossary,
    models,
    permissions,
    reset_actions,
    views,
)
from governance.foundation.people.ports import record_test_sign_in
from governance.foundation.populations.collector import COLLECTORS
from governance.foundation.privacy.events import PersonErased
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Manifest, PortAnswer, Subscription

manifest = Manifest(
    name="identity_providers",
    models=(models,),
    routes=(views.feature,),
    under=("tenant_settings.settings", "people.members"),
    palette=(
        Command("Propose a change to sign-in", "identity_providers.propose", permissions.CHANGE),
        Command("Test the sign-in connection", "identity_providers.index", permissions.CHANGE),
    ),
    audit=actions_in(connection_actions, change_actions, reset_actions),
    links={
        "ConnectionChange": EntryLink(
            endpoint="identity_providers.change",
            argument="connection_change_id",
            noun="sign-in change",
        ),
    },
    answers=(PortAnswer(record_test_sign_in, change_actions.record_test_sign_in_result),),
    subscribes=(Subscription(PersonErased, change_actions.erase_tester, order=50),),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        COLLECTORS(collectors.SignInSettings()),
        APPROVAL_KINDS(*approval_kinds.KINDS),
    ),
)
