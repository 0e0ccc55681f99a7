"""The hourly job of scheduled reports. Its first run after a period has ended generates them."""

from uuid import UUID

import structlog

from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import DomainError, Unavailable
from governance.publishing.report_schedules import actions, failure_actions, queries

FAULT = "Something went wrong in Meridian. The operator's log has the details."
log = structlog.get_logger("report_schedules")


def generate() -> None:
    """Generate reports in every active tenant. An error in one doesn't delay the others."""
    in_each(generate_in_tenant, "scheduled reports not generated", wanted=is_active)


def generate_in_tenant() -> None:
    """Request due reports, each schedule in its own transaction.

    A failed request is retried in an hour. It is reported once, unless the cause is a brief outage.
    """
    with transaction(read_only=True):
        ids = queries.active_ids()
    for schedule_id in ids:
        if cause := _obstacle(schedule_id):
            with transaction():
                failure_actions.record_refused(schedule_id, cause)
    with transaction():
        failure_actions.record_failed()


def _obstacle(schedule_id: UUID) -> str | None:
    """Request due reports. If that isn't possible, return why, in a sentence."""
    facts = {"tenant": current.actor().tenant_slug, "schedule_id": str(schedule_id)}
    try:
        with transaction():
            actions.generate_due(schedule_id)
    except Unavailable as away:
        log.warning("scheduled report delayed", reason=away.message, **facts)
    except DomainError as refused:
        log.warning("scheduled report refused", reason=refused.message, **facts)
        return refused.message
    except Exception:  # The other schedules go on, whatever the error is.
        log.exception("scheduled report not requested", **facts)
        return FAULT
    return None
