"""Change customer accounts, and the list of segments.

save_account    add or change the account of a customer
set_segments    replace the operator's list
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from governance.economics.revenue import permissions, queries
from governance.economics.revenue.file_tables import MAX_SEATS
from governance.economics.revenue.models import Account, AccountSegment
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid, Stale
from governance.kernel.safety.access import require

MAX_SEGMENTS = 20
MAX_SEGMENT_LENGTH = 60
FIELDS = ("segment", "seats", "won_on", "lost_on")

ACCOUNT_CHANGED = action(
    "account.changed",
    "changed what is known of a customer",
    target="Account",
    activity="update",
    severity="informational",
    fields="customer segment seats won_on lost_on",
)
SEGMENTS_CHANGED = action(
    "account.segments.changed",
    "changed the list of segments",
    target="AccountSegment",
    activity="update",
    severity="informational",
    fields="added removed",
)


def save_account(
    customer_id: UUID,
    *,
    segment: str,
    seats: int,
    won_on: date,
    lost_on: date | None,
    seen: str | None = None,
) -> Account:
    """Add or change the account of a customer; `seen` is the mark that the form was opened with.

    Raises Invalid for impossible values, NotFound for a customer that never existed, and Stale.
    """
    require(permissions.EDIT)
    lock_tenant("accounts")
    customer = queries.customer(customer_id)
    found = queries.account(customer_id)
    wanted = {"segment": segment, "seats": seats, "won_on": won_on, "lost_on": lost_on}
    check_account(wanted, queries.segments())
    if found is None:
        found = Account(customer_id=customer_id, **wanted)
        session().add(found)
        before: dict[str, Any] = {}
    else:
        before = {name: getattr(found, name) for name in FIELDS}
        if seen is not None and seen != found.mark:
            raise Stale(
                "Someone else changed this account while you were editing. Review the differences,"
                " then save again.",
                {name: (wanted[name], now) for name, now in before.items() if wanted[name] != now},
            )
        if before == wanted:
            return found
        for name, value in wanted.items():
            setattr(found, name, value)
    session().flush()
    record(ACCOUNT_CHANGED, found, customer=customer.name, before=before, after=wanted)
    return found


def check_account(values: dict[str, Any], segments: Sequence[str]) -> None:
    """Check an account's segment, seats and days. Raises Invalid.

    The segment must be in the list, and a loss can't be before the win.
    """
    if values["segment"] not in segments:
        listed = ", ".join(segments)
        raise Invalid(
            f"“{values['segment'][:MAX_SEGMENT_LENGTH]}” isn't a segment. Use one of {listed}.",
            field="segment",
        )
    if not 0 <= values["seats"] <= MAX_SEATS:
        raise Invalid(f"Enter seats from 0 to {MAX_SEATS:,}.", field="seats")
    if values["lost_on"] is not None and values["lost_on"] <= values["won_on"]:
        raise Invalid(
            "The first day after the loss must be later than the day of the win.", field="lost_on"
        )


def set_segments(names: Sequence[str]) -> None:
    """Replace the list of segments. Raises Invalid if a removed one is still in use."""
    require(permissions.EDIT)
    lock_tenant("accounts")
    wanted = [" ".join(each.split()) for each in names if each.strip()]
    check_segments(wanted)
    before = queries.segments()
    if wanted == list(before):
        return
    session().execute(delete(AccountSegment))
    rows = [AccountSegment(name=name, position=n) for n, name in enumerate(wanted)]
    session().add_all(rows)
    session().flush()
    record(
        SEGMENTS_CHANGED,
        rows[0],
        added=[each for each in wanted if each not in before],
        removed=[each for each in before if each not in wanted],
    )


def check_segments(wanted: Sequence[str]) -> None:
    """Check the operator's new list of segments. Raises Invalid."""
    if not wanted:
        raise Invalid("Enter at least one segment.", field="segments")
    if len(wanted) > MAX_SEGMENTS:
        raise Invalid(f"Enter up to {MAX_SEGMENTS} segments.", field="segments")
    if len({each.casefold() for each in wanted}) < len(wanted):
        raise Invalid("Enter each segment once.", field="segments")
    if long := next((each for each in wanted if len(each) > MAX_SEGMENT_LENGTH), None):
        raise Invalid(
            f"“{long[:MAX_SEGMENT_LENGTH]}…” is too long. A segment has up to"
            f" {MAX_SEGMENT_LENGTH} characters.",
            field="segments",
        )
    if kept := sorted(queries.segments_in_use() - set(wanted)):
        raise Invalid(
            f"“{kept[0]}” is the segment of an account or of acquisition spend. Keep it, or change"
            " those first.",
            field="segments",
        )
