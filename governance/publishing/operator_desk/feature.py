"""The operator's desk: a page for each tenant, and what an operator can do there."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Daily, Manifest, NavItem
from governance.publishing.operator_desk import (
    approval_kinds,
    jobs,
    permissions,
    views,
    work_actions,
    work_views,
)

manifest = Manifest(
    name="operator_desk",
    routes=(views.feature, work_views.feature),
    navigation=(
        NavItem(
            label="Queues and jobs",
            icon="activity",
            endpoint="operator_work.index",
            permission=permissions.VIEW,
            order=60,
            group="records",
            audience="operator",
        ),
    ),
    under=("operator_overview.overview",),
    schedule=(Daily("forget old work failures", jobs.forget_old_failures, at="02:51"),),
    approvals=approval_kinds.KINDS,
    audit=actions_in(work_actions),
)
