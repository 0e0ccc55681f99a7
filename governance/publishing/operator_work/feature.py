"""Queues, failed work and scheduled jobs over all tenants."""

from prometheus_client import Gauge

from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Daily, Hourly, Manifest, NavItem
from governance.publishing.operator_work import (
    actions,
    backup_records,
    glossary,
    inbox,
    jobs,
    key_ages,
    models,
    palette,
    permissions,
    views,
)

BACKUP_AGE = Gauge(
    "governance_backup_age_seconds",
    "Age of the last recorded backup that succeeded, in seconds; alert above 129600, and if absent",
)
DRILL_AGE = Gauge(
    "governance_restore_drill_age_seconds",
    "Age of the last recorded restore drill that passed, in seconds; alert above 8640000",
)

manifest = Manifest(
    name="operator_work",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature,),
    navigation=(
        NavItem(
            label="Queues and jobs",
            icon="activity",
            endpoint="operator_work.index",
            permission=permissions.VIEW,
            order=88,
            group="records",
            audience="operator",
        ),
    ),
    schedule=(
        Daily("forget old work failures", jobs.forget_old_failures, at="02:51"),
        Hourly("note ages of keys", key_ages.note_ages, minute=23),
    ),
    palette=palette.COMMANDS,
    search=palette.SOURCES,
    inbox=inbox.SOURCES,
    audit=actions_in(actions, backup_records),
    measures={
        BACKUP_AGE: lambda: backup_records.age("backup"),
        DRILL_AGE: lambda: backup_records.age("drill"),
    },
)
