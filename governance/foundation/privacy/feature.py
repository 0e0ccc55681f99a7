"""Privacy: erasure, unmasking, legal holds, retention of personal parts."""

from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.foundation.privacy import (
    approval_kinds,
    erasure_actions,
    glossary,
    jobs,
    legal_hold_actions,
    models,
    permissions,
    retention_actions,
    rotation,
    unmasking_actions,
    views,
)
from governance.foundation.privacy.events import PersonErased
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, Daily, EntryLink, Manifest

manifest = Manifest(
    name="privacy",
    models=(models,),
    routes=(views.feature,),
    under=("tenant_settings.settings",),
    schedule=(Daily("destroy expired log keys", jobs.destroy_expired_keys, at="02:47"),),
    work=(jobs.erase,),
    palette=(
        Command("Erase a person", "privacy.ask_erasure", permissions.ERASE, also="GDPR delete"),
        Command("Unmask a person", "privacy.ask_unmask", permissions.UNMASK),
        Command("Place a legal hold", "privacy.hold", permissions.HOLD),
        Command(
            "Set retention of personal data", "privacy.retention", permissions.RETAIN, also="keep"
        ),
    ),
    audit=actions_in(
        erasure_actions, unmasking_actions, legal_hold_actions, retention_actions, rotation
    ),
    links={
        "Erasure": EntryLink(endpoint="privacy.erasure", argument="erasure_id"),
        "Unmasking": EntryLink(no_page="the approval's page shows it"),
        "LegalHold": EntryLink(endpoint="privacy.index"),
        "RetentionRule": EntryLink(endpoint="privacy.retention", single=True),
    },
    publishes=(PersonErased,),
    after_request=(views.remember_unmasked,),
    extensions=(GLOSSARY(*glossary.TERMS), APPROVAL_KINDS(*approval_kinds.KINDS)),
)
