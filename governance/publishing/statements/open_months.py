"""Open months, and the manual close of one that is over, for a tenant and for an operator."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import flash, request

from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock
from governance.kernel.errors import Invalid
from governance.kernel.months import Month, close_instant, month_of
from governance.operations.agreements import queries as agreements
from governance.operations.agreements.models import TO_TENANT, Agreement
from governance.publishing.statements import actions, figures, queries
from governance.publishing.statements.models import Statement
from governance.publishing.statements.statement_facts import span_of

MONTHS_BACK = 3  # Past months that can be closed by hand from a list.


@dataclass(frozen=True, slots=True)
class OpenMonth:
    """A month of an agreement without a statement. The running one isn't over."""

    agreement: Agreement
    month: Month
    is_over: bool
    closes_at: datetime

    @property
    def title(self) -> str:
        return figures.month_title(str(self.month))


def open_months() -> list[OpenMonth]:
    """List the running month of each agreement, and past months that nobody closed yet."""
    every = agreements.with_accepted_versions(TO_TENANT)
    there = queries.months_with_statement([each.id for each, _accepted in every])
    zones = zone_periods() if every else []
    found = []
    for back in range(MONTHS_BACK + 1 if every else 0):
        month = month_of(zones, clock.now()).plus(-back)
        due = agreements.in_force_during(span_of(month), TO_TENANT)
        found += [
            OpenMonth(each, month, back > 0, close_instant(zones, month, parts[-1][1].close_day))
            for each, parts in due
            if (each.id, str(month)) not in there
        ]
    return found


def close_chosen() -> Statement:
    """Close the month that the form names. Raises Invalid if it names none."""
    try:
        agreement_id = UUID(request.form.get("agreement_id", ""))
        month = Month.parse(request.form.get("month", ""))
    except ValueError:
        raise Invalid("Choose an agreement and a month.") from None
    made = actions.close_now(agreements.agreement(agreement_id), month)
    flash(f"{figures.month_title(str(month))} is being closed.")
    return made
