"""Ports through which reviews read SLA credits from a feature above."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.kernel.months import Month
from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class StatementCredit:
    """The credit that a tenant is owed by a closed SLA statement, in major units of `currency`."""

    amount: Decimal
    currency: str


sla_credits: Port[Callable[[Month], Sequence[StatementCredit]]] = Port(
    "credits of the acting tenant's statements of a month", lambda _month: ()
)
