"""The audit log as people read it: search, views, exports, checks."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.logbook import (
    actions,
    export_verification,
    exports,
    jobs,
    models,
    permissions,
    read_auditing,
    views,
)
from governance.kernel.manifest import Daily, EntryLink, Manifest, NavItem

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
    ),
    schedule=(Daily(jobs.CHECK, jobs.check_logs, at="03:41"),),
    work=(jobs.make_export,),
    audit=actions_in(actions),
    links={
        "LogExport": EntryLink(endpoint="log_exports.export", argument="export_id", noun="export"),
        "SavedView": EntryLink(no_page="only the person who saved the view has it"),
    },
    after_request=(read_auditing.note_reading,),
)
