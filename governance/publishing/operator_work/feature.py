"""Queues, failed work and scheduled jobs over all tenants."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Daily, Manifest, NavItem
from governance.publishing.operator_work import actions, jobs, permissions, views

manifest = Manifest(
    name="operator_work",
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
    schedule=(Daily("forget old work failures", jobs.forget_old_failures, at="02:51"),),
    audit=actions_in(actions),
)
