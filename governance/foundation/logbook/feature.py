"""The audit log as people read it: search, saved views, exports and verification."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.list_views.ports import recall
from governance.foundation.logbook import (
    actions,
    collectors,
    denied_actions,
    denied_acts,
    export_verification,
    exports,
    inbox,
    jobs,
    log_health,
    models,
    permissions,
    read_auditing,
    views,
)
from governance.foundation.populations.collector import COLLECTORS
from governance.kernel.data import tenant_cache
from governance.kernel.manifest import (
    Command,
    Daily,
    EntryLink,
    Hourly,
    Manifest,
    NavItem,
    PortAnswer,
)

manifest = Manifest(
    name="logbook",
    models=(models,),
    routes=(views.feature, exports.feature, export_verification.public),
    navigation=(
        NavItem(
            label="Audit log",
            icon="fingerprint",
            endpoint="logbook.index",
            permission=permissions.VIEW,
            order=70,
            group="records",
        ),
        NavItem(
            label="Audit log",
            icon="fingerprint",
            endpoint="logbook.index",
            permission=permissions.VIEW,
            order=89,
            group="records",
            audience="operator",
        ),
    ),
    schedule=(
        Daily(jobs.CHECK, jobs.check_logs, at="03:41"),
        Hourly("record denied acts", denied_actions.record_denied_hourly, minute=2),
    ),
    work=(jobs.generate_export,),
    palette=(
        Command("Export the audit log", "log_exports.index", permissions.EXPORT, also="download"),
        Command("View checkpoints of the log", "logbook.checkpoints", permissions.VIEW),
    ),
    inbox=inbox.SOURCES,
    extensions=(COLLECTORS(collectors.LogChecks()),),
    audit=actions_in(actions, denied_actions),
    links={
        "LogExport": EntryLink(endpoint="log_exports.export", argument="export_id", noun="export"),
        "SavedView": EntryLink(no_page="a saved view is in the menu of the log"),
    },
    answers=(
        PortAnswer(recall, log_health.recall),
        PortAnswer(tenant_cache.log_number, log_health.revision),
    ),
    after_request=(read_auditing.record_reading, denied_acts.count_denied),
)
