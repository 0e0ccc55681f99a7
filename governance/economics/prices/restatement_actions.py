"""Price a model's usage again: requested by one person, approved and applied by another."""

from typing import Any

from governance.economics.prices import queries, restatements, usage_costs
from governance.economics.prices.models import Price, PriceRestatement
from governance.foundation.approvals import actions as approvals
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid
from governance.kernel.months import Month

FIELDS = "number model first_month last_month"
REQUESTED = action(
    "price_restatement.requested",
    "requested that usage is restated",
    target="PriceRestatement",
    activity="create",
    severity="low",
    fields=f"{FIELDS} months",
)
APPLIED = action(
    "price_restatement.applied",
    "approved that usage is restated",
    target="PriceRestatement",
    activity="update",
    severity="medium",
    fields=f"{FIELDS} months",
)
REJECTED = action(
    "price_restatement.rejected",
    "rejected that usage is restated",
    target="PriceRestatement",
    activity="update",
    severity="low",
    fields=FIELDS,
)
MAX_MONTHS = 36
MAX_REASON_LENGTH = 2000


def request(price: Price, first: Month, last: Month, *, reason: str) -> PriceRestatement:
    """Request another person's approval to price a model's usage again. Raises Invalid."""
    lock_tenant(restatements.KIND)
    check_months(first, last)
    if not 0 < len(reason.strip()) <= MAX_REASON_LENGTH:
        raise Invalid("Say why history changes. The approver reads it.", field="reason")
    found = restatements.changes(price.match_key, first, last)
    if not found:
        raise Invalid("Nothing would change in these months.", field="first_month")
    made = PriceRestatement(
        number=restatements.next_number(),
        match_key=price.match_key,
        provider=price.provider,
        model=price.model,
        first_month=str(first),
        last_month=str(last),
        reason=reason.strip(),
        requested_by=current.person_id(),
        applied=None,
        ended_at=None,
    )
    session().add(made)
    record(REQUESTED, made, months=[each.as_json() for each in found], **named(made))
    approvals.request(
        restatements.KIND,
        made.id,
        summary=f"restate the usage of {made.model}",
        reason=made.reason,
    )
    return made


def check_months(first: Month, last: Month) -> None:
    """Check the months. Raises Invalid if they are in the wrong order, or too many."""
    if last < first:
        raise Invalid("The last month is before the first.", field="last_month")
    if last >= first.plus(MAX_MONTHS):
        raise Invalid(f"Restate {MAX_MONTHS} months at most.", field="last_month")


def apply(restatement: PriceRestatement) -> None:
    """Price the rows again, in the approver's transaction."""
    if restatement.state != "requested":
        return
    first, last = months_of(restatement)
    found = restatements.changes(restatement.match_key, first, last)
    rows = restatements.rows_between(restatement.match_key, first, last)
    usage_costs.reprice(rows, queries.model_prices([restatement.match_key]))
    restatement.state, restatement.ended_at = "applied", clock.now()
    restatement.applied = [each.as_json() for each in found]
    record(APPLIED, restatement, months=restatement.applied, **named(restatement))


def reject(restatement: PriceRestatement) -> None:
    """Close the request as rejected, withdrawn or expired. Usage stays unchanged."""
    if restatement.state == "requested":
        restatement.state, restatement.ended_at = "rejected", clock.now()
        record(REJECTED, restatement, **named(restatement))


def months_of(restatement: PriceRestatement) -> tuple[Month, Month]:
    """Return the first and the last month."""
    return Month.parse(restatement.first_month), Month.parse(restatement.last_month)


def named(restatement: PriceRestatement) -> dict[str, Any]:
    """Return the details that each audit entry has."""
    return {
        "number": restatement.number,
        "model": restatement.model,
        "first_month": restatement.first_month,
        "last_month": restatement.last_month,
    }
