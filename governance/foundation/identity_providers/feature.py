"""Identity providers: how a tenant's people sign in, and how two people change it."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.identity_providers import (
    actions,
    approval_kinds,
    models,
    permissions,
    views,
)
from governance.foundation.people.ports import record_test_sign_in
from governance.foundation.privacy.events import PersonErased
from governance.kernel.manifest import Answer, Command, EntryLink, Manifest, Subscription

manifest = Manifest(
    name="identity_providers",
    models=(models,),
    routes=(views.feature,),
    under=("tenant_settings.settings", "people.members"),
    palette=(
        Command("Propose a change to sign-in", "identity_providers.propose", permissions.CHANGE),
        Command("Test the sign-in connection", "identity_providers.index", permissions.CHANGE),
    ),
    audit=actions_in(actions),
    links={
        "ConnectionChange": EntryLink(
            endpoint="identity_providers.change",
            argument="connection_change_id",
            noun="sign-in change",
        ),
    },
    answers=(Answer(record_test_sign_in, actions.record_test_sign_in_result),),
    subscribes=(Subscription(PersonErased, actions.erase_tester, order=50),),
    approvals=approval_kinds.KINDS,
)
