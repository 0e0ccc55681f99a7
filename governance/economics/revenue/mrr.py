"""Monthly recurring revenue and its movements, from versions of subscriptions. Pure.

The MRR of a month is the sum of the subscriptions in force on the month's last day. A subscription
that starts and ends inside one month is therefore in no month's MRR and causes no movement: its
revenue is in the invoices. A subscription whose first day without it is the first of a month was in
force on the last day of the month before, and churns in the month that begins.

Both ends of a month are converted at that month's rate, so a change of rates is no expansion.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from governance.kernel.months import Month

type Convert = Callable[[Decimal, str, Month], Decimal]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class SubscriptionVersion:
    """A customer's monthly amount from `starts_on` on.

    It applies until `ends_on` (the first day without it), or until a later version of the same
    reference starts.
    """

    customer_id: UUID
    reference: str
    starts_on: date
    ends_on: date | None
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Movement:
    """The movement of one customer's MRR in a month; every amount is zero or more.

    start + new + expansion + reactivation - contraction - churn = end
    """

    month: Month
    customer_id: UUID
    start: Decimal
    new: Decimal
    expansion: Decimal
    contraction: Decimal
    churn: Decimal
    reactivation: Decimal
    end: Decimal


@dataclass(frozen=True, slots=True)
class Bridge:
    """The movements of all customers in a month, added up, with the number of customers."""

    month: Month
    start: Decimal = ZERO
    new: Decimal = ZERO
    expansion: Decimal = ZERO
    contraction: Decimal = ZERO
    churn: Decimal = ZERO
    reactivation: Decimal = ZERO
    end: Decimal = ZERO
    started: int = 0  # paying accounts at the month's start
    won: int = 0
    lost: int = 0
    returned: int = 0
    ended: int = 0  # paying accounts at the month's end

    @property
    def first_day(self) -> date:
        return self.month.first_day

    @property
    def growth(self) -> Decimal | None:
        """The change of MRR as a share of the month's start; None if that was zero."""
        return (self.end - self.start) / self.start if self.start else None


def in_force(versions: Iterable[SubscriptionVersion], day: date) -> list[SubscriptionVersion]:
    """Return the versions in force on that day, at most one for each reference."""
    newest: dict[str, SubscriptionVersion] = {}
    for each in versions:
        known = newest.get(each.reference)
        if each.starts_on <= day and (known is None or known.starts_on < each.starts_on):
            newest[each.reference] = each
    return [each for each in newest.values() if each.ends_on is None or day < each.ends_on]


def mrr_movements(
    versions: Sequence[SubscriptionVersion], months: Iterable[Month], convert: Convert
) -> list[Movement]:
    """Return the movements of each month by customer, without customers that have no MRR.

    A customer's subscriptions are added up first: if one grows by as much as another shrinks, there
    is no movement. A returning customer reactivates if it had MRR at the end of any earlier month,
    and is new otherwise. Raises what `convert` raises.
    """
    held: dict[UUID, list[SubscriptionVersion]] = defaultdict(list)
    for each in versions:
        held[each.customer_id].append(each)
    found = []
    for month in sorted(months):
        for customer_id, theirs in held.items():
            start, end = (
                _mrr(theirs, boundary.last_day, month, convert)
                for boundary in (month.plus(-1), month)
            )
            if start or end:
                had = start == ZERO and _ever_paid(theirs, month)
                found.append(_movement(month, customer_id, start, end, has_paid_before=had))
    return found


def bridge(month: Month, movements: Iterable[Movement]) -> Bridge:
    """Add up the movements of one month."""
    theirs = [each for each in movements if each.month == month]

    def total(name: str) -> Decimal:
        return sum((getattr(each, name) for each in theirs), ZERO)

    def count(name: str) -> int:
        return sum(1 for each in theirs if getattr(each, name))

    return Bridge(
        month,
        start=total("start"),
        new=total("new"),
        expansion=total("expansion"),
        contraction=total("contraction"),
        churn=total("churn"),
        reactivation=total("reactivation"),
        end=total("end"),
        started=count("start"),
        won=count("new"),
        lost=count("churn"),
        returned=count("reactivation"),
        ended=count("end"),
    )


def _mrr(
    versions: Iterable[SubscriptionVersion], day: date, month: Month, convert: Convert
) -> Decimal:
    paid = in_force(versions, day)
    return sum((convert(each.amount, each.currency, month) for each in paid), ZERO)


def _ever_paid(versions: Sequence[SubscriptionVersion], month: Month) -> bool:
    """Return whether any version was in force with an amount at the end of an earlier month."""
    first = min(each.starts_on for each in versions)
    earlier = Month.of(first)
    while earlier < month:
        if any(each.amount for each in in_force(versions, earlier.last_day)):
            return True
        earlier = earlier.plus(1)
    return False


def _movement(
    month: Month, customer_id: UUID, start: Decimal, end: Decimal, *, has_paid_before: bool
) -> Movement:
    gained, lost = max(end - start, ZERO), max(start - end, ZERO)
    came, left = start == ZERO, end == ZERO
    return Movement(
        month=month,
        customer_id=customer_id,
        start=start,
        new=gained if came and not has_paid_before else ZERO,
        expansion=ZERO if came else gained,
        contraction=ZERO if left else lost,
        churn=lost if left else ZERO,
        reactivation=gained if came and has_paid_before else ZERO,
        end=end,
    )
