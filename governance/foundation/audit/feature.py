"""The audit log itself: its tree, its keys, and how machines read it."""

from prometheus_client import Gauge

from governance.foundation.audit import (
    actions,
    api,
    former_actions,
    fsck,
    glossary,
    logs,
    models,
    sequencer,
)
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import EntryLink, Manifest

OLDEST_PENDING = Gauge(
    "governance_audit_oldest_pending_seconds",
    "Age of the oldest pending entry of any log, in seconds; alert above 10",
)

manifest = Manifest(
    name="audit",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(api.feature,),
    audit=actions_in(actions, former_actions, fsck, logs),
    links={
        "LogHead": EntryLink(endpoint="logbook.checkpoints", noun="the log", single=True),
        "LogKey": EntryLink(endpoint="logbook.checkpoints", noun="the log's key", single=True),
    },
    measures={OLDEST_PENDING: lambda: sequencer.oldest(sequencer.waiting())},
)
