"""Signed webhooks to a tenant's own systems, with retries and a dead letter queue."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.webhooks import (
    actions,
    delivery_actions,
    glossary,
    inbox,
    jobs,
    models,
    palette,
    permissions,
    views,
)
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, Daily, EntryLink, Every, Manifest

manifest = Manifest(
    name="webhooks",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature,),
    under=("tenant_settings.settings", "people.members"),
    schedule=(
        Every("send webhooks", jobs.send_due, seconds=2),
        Daily("forget old webhook deliveries", jobs.forget_old, at="02:37"),
    ),
    palette=(Command("Manage webhooks", "webhooks.index", permissions.VIEW),),
    search=(palette.webhooks,),
    inbox=inbox.SOURCES,
    audit=actions_in(actions, delivery_actions),
    links={
        "WebhookEndpoint": EntryLink(
            endpoint="webhooks.endpoint", argument="endpoint_id", noun="webhook endpoint"
        ),
        "WebhookDelivery": EntryLink(endpoint="webhooks.index", noun="webhook delivery"),
    },
)
