"""What the page of usage asks of features above it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.kernel.months import Month
from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class UsageBenchmark:
    """A measure over all tenants of a month; `mean` is None where its release was refused.

    Mean and accuracy are shares. `spent` of `budget` is what the quarter's releases used.
    """

    measure: str  # "cached_share" or "failed_share"
    tenants: int
    mean: Decimal | None
    accuracy: Decimal | None
    epsilon: Decimal
    spent: Decimal
    budget: Decimal
    refusal: str


usage_benchmarks: Port[Callable[[Month], Sequence[UsageBenchmark]]] = Port(
    "benchmarks of usage over all tenants", lambda _month: ()
)
