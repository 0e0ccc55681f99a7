"""Usage of AI models: events that products send, counted by day."""

from governance.economics.imports import kinds
from governance.economics.usage import (
    api,
    event_stores,
    glossary,
    jobs,
    models,
    openapi,
    otlp_api,
    permissions,
    rebuild_actions,
    usage_file,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.kernel.feature_settings import SETTINGS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Daily, Hourly, Manifest, NavItem, SectionTab

kinds.register(usage_file.USAGE)

manifest = Manifest(
    name="usage",
    models=(models,),
    routes=(views.feature, api.feature, otlp_api.feature),
    api=openapi.DESCRIPTION,
    extensions=(GLOSSARY(*glossary.TERMS), SETTINGS(event_stores.SETTING)),
    audit=actions_in(rebuild_actions),
    navigation=(
        NavItem(
            label="Usage",
            icon="chart-dots",
            endpoint="usage.index",
            permission=permissions.VIEW,
            order=68,
            group="operations",
            counts_everything=True,
        ),
    ),
    tabs=(
        SectionTab(
            section="usage",
            label="Requests and tokens",
            endpoint="usage.index",
            permission=permissions.VIEW,
            order=10,
            counts_everything=True,
        ),
    ),
    schedule=(
        Daily("create months of usage", jobs.create_partitions, at="01:17"),
        Hourly("count completed tasks", jobs.count_tasks, minute=11),
        Daily("forget usage event ids", jobs.forget_event_keys, at="02:31"),
        Daily("drop old usage events", jobs.drop_old_events, at="02:47"),
    ),
)
