"""Indicators and their minute counts: pushed, pulled, rolled up, rebuilt."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.feature_settings import SETTINGS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    Daily,
    EntryLink,
    EveryMinute,
    Manifest,
    SectionTab,
    Subscription,
)
from governance.operations.evaluations.events import RunJudged
from governance.operations.measurements import (
    actions,
    api,
    evaluation_feeds,
    evaluation_models,
    evaluation_views,
    events,
    glossary,
    jobs,
    metrics,
    models,
    openapi,
    palette,
    permissions,
    prometheus_actions,
    prometheus_jobs,
    prometheus_models,
    prometheus_views,
    retention,
    system_parts,
    views,
)
from governance.operations.systems.parts import SYSTEM_PARTS

# Importing evaluation_views adds its routes to `views.feature`.
VIEWS = (views, evaluation_views)

manifest = Manifest(
    name="measurements",
    models=(models, prometheus_models, evaluation_models),
    routes=(views.feature, api.feature, prometheus_views.feature),
    under=("objectives.index",),
    api=openapi.DESCRIPTION,
    schedule=(
        EveryMinute("pull from Prometheus", prometheus_jobs.pull_all, second=40),
        Daily("create months of minutes", jobs.create_partitions, at="01:13"),
        Daily("drop old minutes", jobs.drop_old_minutes, at="02:23"),
    ),
    work=(prometheus_jobs.ask_prometheus, evaluation_feeds.count_run),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        SETTINGS(retention.SETTING),
        SYSTEM_PARTS(system_parts.EVALUATION_FEEDS),
    ),
    audit=actions_in(actions, prometheus_actions, evaluation_feeds),
    links={
        "Indicator": EntryLink(endpoint="indicators.indicator", argument="indicator_id"),
        "PrometheusSource": EntryLink(endpoint="prometheus.index", noun="Prometheus source"),
    },
    palette=(Command("Define indicator", "indicators.define", permissions.MANAGE),),
    search=(palette.indicators,),
    tabs=(
        SectionTab(
            section="reliability",
            label="Indicators",
            endpoint="indicators.index",
            permission=permissions.VIEW,
            order=70,
        ),
    ),
    publishes=(events.MinutesStored,),
    subscribes=(
        Subscription(events.MinutesStored, metrics.note),
        Subscription(RunJudged, evaluation_feeds.queue),
    ),
)
