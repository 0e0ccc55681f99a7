"""Change the allocation rules: one person proposes a version, another approves it.

propose            request a version that applies from a month on
apply_request      publish an approved request; it applies from its first month
close_request      end a request that was rejected, withdrawn or has expired

A version begins after all months that are closed or being closed, so closed months are never
reallocated. Closes take LOCK too (reviews/closing/actions.py): if a close and an approval run
concurrently, the second sees the result of the first.
"""

from typing import Any

from governance.economics.allocation import queries
from governance.economics.allocation.models import AllocationRules
from governance.economics.allocation.ports import closing_months
from governance.economics.allocation.rule_content import (
    Rules,
    changed_lines,
    check_rules,
    plain_rules,
    read_rules,
)
from governance.economics.rates.ports import closed_months
from governance.foundation.approvals import actions as approvals
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.months import Month

REQUESTED = action(
    "allocation_rules.requested",
    "proposed allocation rules",
    target="AllocationRules",
    activity="create",
    severity="low",
    fields="base since lines",
)
CHANGED = action(
    "allocation_rules.changed",
    "approved allocation rules",
    target="AllocationRules",
    activity="update",
    severity="medium",
    fields="number base since lines",
    persons="made_by",
)
REJECTED = action(
    "allocation_rules.rejected",
    "rejected allocation rules",
    target="AllocationRules",
    activity="update",
    severity="low",
    fields="base since",
)
WITHDRAWN = action(
    "allocation_rules.withdrawn",
    "withdrew proposed allocation rules",
    target="AllocationRules",
    activity="update",
    severity="low",
    fields="base since",
)

LOCK = "allocation rules"
MAX_REASON_LENGTH = 2000
NOTHING_CHANGES = "These are the rules of the newest version. Nothing would change."


def propose(rules: Rules, *, since: Month, base: int, reason: str) -> AllocationRules:
    """Request another person's approval of these rules, to apply from a month on.

    `base` is the newest version that the requester saw. Raises Invalid, Stale, and DomainError
    while another request is open.
    """
    lock_tenant(LOCK)
    _check_base(base)
    check_rules(rules)
    check_since(since)
    _check_reason(reason)
    if plain_rules(queries.rules_of(base)) == plain_rules(rules):
        raise DomainError(NOTHING_CHANGES)
    there = queries.open_request()
    if there is not None and not approvals.close_expired(queries.KIND, there.id):
        raise DomainError("Other rules await approval. Decide on them or withdraw them first.")
    row = AllocationRules(
        number=None,
        state="requested",
        since=str(since),
        content=plain_rules(rules),
        base=base,
        reason=reason.strip(),
        made_by=current.person_id(),
        decided_by=None,
        decided_at=None,
    )
    session().add(row)
    session().flush()
    approvals.request(
        queries.KIND,
        row.id,
        summary=f"change the allocation rules from {since.long_name}",
        reason=row.reason,
    )
    return row


def since_problem(since: Month) -> str | None:
    """Return why no version can begin in that month, or None if one can."""
    newest = queries.newest_rules().since
    if newest is not None and since < newest:
        return f"The newest version begins in {newest.long_name}. Choose that month or a later one."
    closing = max(closing_months()(), default=None)
    if closing is not None and since <= closing:
        return (
            f"{closing.long_name} is being closed. Choose {closing.plus(1).long_name} or a later"
            " month, or wait until its close has ended."
        )
    closed = max(closed_months()(), default=None)
    if closed is not None and since <= closed:
        return (
            f"{closed.long_name} is closed, and closed months never change."
            f" Choose {closed.plus(1).long_name} or a later month."
        )
    return None


def check_since(since: Month) -> None:
    """Raise Invalid if no version can begin in that month."""
    if (problem := since_problem(since)) is not None:
        raise Invalid(problem, field="since")


def _check_base(base: int) -> None:
    newest = queries.newest_number()
    if base != newest:
        raise Stale(
            f"Version {newest} was approved after you opened this page. Review it, then try again."
        )


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Enter a reason. Reviews print it.", field="reason")
    if len(reason.strip()) > MAX_REASON_LENGTH:
        raise Invalid(f"Enter up to {MAX_REASON_LENGTH:,} characters.", field="reason")


# ---- after the decision


def apply_request(row: AllocationRules) -> None:
    """Publish an approved request as the next version. Raises Stale and Invalid."""
    _check_base(row.base)
    check_since(row.first_month)
    row.state, row.number = "approved", row.base + 1
    row.decided_by, row.decided_at = current.person_id(), clock.now()
    record(
        CHANGED,
        row,
        reason=row.reason,
        number=row.number,
        made_by=row.made_by,
        **facts(row),
    )


def close_request(row: AllocationRules, state: str) -> None:
    """Close a request that didn't become a version, with its final state."""
    row.state, row.decided_by, row.decided_at = state, current.actor().person_id, clock.now()


def facts(row: AllocationRules) -> dict[str, Any]:
    """Return the facts for log entries: base, first month, and changes from the base version."""
    names = {key: slug for key, (slug, _name) in queries.customers().items()}
    lines = changed_lines(queries.rules_of(row.base), read_rules(row.content), names)
    return {"base": row.base, "since": row.since, "lines": [list(line) for line in lines]}
