"""Policies: the tenants' settings, waivers, and the platform minimum."""

from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.foundation.populations.collector import COLLECTORS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Hourly, Manifest, NavItem
from governance.operations.gates.gates import GATES
from governance.operations.policies import (
    collectors,
    gates,
    glossary,
    jobs,
    models,
    operator_views,
    override_views,
    palette,
    permissions,
    platform_approval,
    platform_minimum,
    system_parts,
    version_approval,
    version_log,
    version_views,
    views,
    waiver_approval,
    waiver_views,
    waivers,
)
from governance.operations.systems.parts import SYSTEM_PARTS

VIEWS = (views, override_views, version_views, waiver_views, operator_views)

manifest = Manifest(
    name="policies",
    models=(models,),
    routes=tuple(dict.fromkeys(each.feature for each in VIEWS)),
    navigation=(
        NavItem(
            label="Policies",
            icon="adjustments-horizontal",
            endpoint="policies.index",
            permission=permissions.VIEW,
            order=60,
            group="operations",
        ),
        NavItem(
            label="Platform minimum",
            icon="adjustments-horizontal",
            endpoint="operator_policies.index_of_operator",
            permission=permissions.PLATFORM,
            order=30,
            group="platform",
            audience="operator",
        ),
    ),
    schedule=(Hourly("apply scheduled policies", jobs.apply_due_everywhere, minute=7),),
    work=(jobs.apply_scheduled,),
    palette=(
        Command("Change policy", "policies.index", permissions.DRAFT),
        Command("View policy in force", "policies.in_force", permissions.VIEW),
        Command("Request waiver", "waivers.new", permissions.WAIVE),
    ),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        COLLECTORS(collectors.PolicyChanges()),
        GATES(gates.TIER),
        SYSTEM_PARTS(system_parts.POLICY, system_parts.WAIVERS, system_parts.OVERRIDES),
        APPROVAL_KINDS(version_approval.POLICY, waiver_approval.WAIVER, platform_approval.PLATFORM),
    ),
    search=(palette.policy_versions, palette.waivers),
    audit=actions_in(version_log, waivers, platform_minimum),
    links={
        "PolicyVersion": EntryLink(endpoint="policies.version_by_id", argument="policy_version_id"),
        "Waiver": EntryLink(endpoint="waivers.waiver", argument="waiver_id"),
        "PlatformPolicy": EntryLink(
            endpoint="operator_policies.change_request", argument="platform_policy_id"
        ),
    },
)
