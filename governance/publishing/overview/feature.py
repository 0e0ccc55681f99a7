"""The first page of a tenant and of the operator, and the command palette."""

from governance.assurance.testing.work_in_progress import current_engagement, work_in_progress
from governance.foundation.people import permissions as people
from governance.foundation.tenants import permissions as tenants
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Manifest, NavItem, PortAnswer
from governance.publishing.overview import command_palette, engagement_context, glossary, views

manifest = Manifest(
    name="overview",
    extensions=(GLOSSARY(*glossary.TERMS),),
    routes=(views.feature, views.operator_feature, command_palette.feature),
    navigation=(
        NavItem(
            label="Overview",
            icon="layout-dashboard",
            endpoint="overview.overview",
            permission=people.OWN,
            order=10,
            group="overview",
            counts_everything=True,
        ),
        NavItem(
            label="Tenants",
            icon="building",
            endpoint="operator_overview.overview",
            permission=tenants.VIEW,
            order=10,
            group="platform",
            audience="operator",
        ),
    ),
    answers=(
        PortAnswer(current_engagement, engagement_context.engaged),
        PortAnswer(work_in_progress, engagement_context.running),
    ),
)
