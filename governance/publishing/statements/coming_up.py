"""The month that closes next, for the head of the objectives pages."""

from collections.abc import Sequence

from flask import url_for

from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock
from governance.kernel.months import close_instant, month_of, month_span
from governance.kernel.safety.access import allowed
from governance.kernel.safety.visibility_scope import limits
from governance.operations.agreements import queries as agreements
from governance.operations.agreements.models import TO_TENANT
from governance.operations.objectives.ports import ComingUp
from governance.publishing.statements import figures, permissions


def coming_up() -> Sequence[ComingUp]:
    """Return when the present month closes, for each agreement in force."""
    if not allowed(permissions.VIEW) or limits() is not None:
        return ()
    zones = zone_periods()
    month = month_of(zones, clock.now())
    return [
        ComingUp(
            close_instant(zones, month, parts[-1][1].close_day),
            f"{figures.month_name(str(month))} closes",
            url_for("statements.provisional", agreement_id=agreement.id),
            f"Statement of {agreement.ref}",
            "receipt",
        )
        for agreement, parts in agreements.in_force_during(month_span(zones, month), TO_TENANT)
    ]
