"""What reviews ask of the features above them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.kernel.months import Month
from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class StatementCredit:
    """What a closed statement of a month owes its tenant, in major units of `currency`."""

    amount: Decimal
    currency: str


sla_credits: Port[Callable[[Month], Sequence[StatementCredit]]] = Port(
    "credits of the acting tenant's statements of a month", lambda _month: ()
)
