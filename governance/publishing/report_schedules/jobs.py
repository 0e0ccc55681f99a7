"""Generate scheduled reports, every hour: the first one after a period has ended finds it due."""

import structlog

from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel import current
from governance.kernel.db import transaction
from governance.kernel.errors import DomainError
from governance.publishing.report_schedules import actions, queries

log = structlog.get_logger("report_schedules")


def generate() -> None:
    """Generate in every active tenant; what fails in one doesn't keep the others waiting."""
    in_each(generate_in_tenant, "scheduled reports not generated", wanted=is_active)


def generate_in_tenant() -> None:
    """Each schedule in a transaction of its own; what is refused is tried again in an hour."""
    with transaction(read_only=True):
        ids = queries.active_ids()
    for schedule_id in ids:
        try:
            with transaction():
                actions.generate_due(schedule_id)
        except DomainError as refused:
            log.warning(
                "scheduled report refused",
                tenant=current.actor().tenant_slug,
                schedule_id=str(schedule_id),
                reason=refused.message,
            )
