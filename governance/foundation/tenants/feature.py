"""Tenants: their settings, and the operator's list of them."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.tenants import (
    actions,
    events,
    glossary,
    models,
    permissions,
    queries,
    suspension_actions,
    views,
)
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Manifest, NavItem, PortAnswer
from governance.kernel.web.identity import identity

manifest = Manifest(
    name="tenants",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature, views.operator_feature),
    navigation=(
        NavItem(
            label="Settings",
            icon="settings",
            endpoint="tenant_settings.settings",
            permission=permissions.SEE,
            order=90,
            group="settings",
        ),
    ),
    under=("operator_overview.overview",),
    palette=(
        Command(
            "Change tenant settings",
            "tenant_settings.settings",
            permissions.EDIT,
            also="time zone fiscal year name region",
        ),
    ),
    audit=actions_in(actions, suspension_actions),
    links={
        "Tenant": EntryLink(endpoint="tenant_settings.settings", noun="the tenant", single=True)
    },
    publishes=(events.TimeZoneChanged, events.SuspensionBegan),
    answers=(PortAnswer(identity.tenant_id, queries.tenant_id),),
)
