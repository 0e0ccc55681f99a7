"""The mean of shares with Laplace noise, by OpenDP. Pure.

The unit of privacy is a tenant: it contributes one value to a release, so what is released hardly
depends on whether that value is another one. Source: Dwork, McSherry, Nissim and Smith,
"Calibrating noise to sensitivity in private data analysis", 2006.

OpenDP takes a fourth of a second to load, so it is imported where a benchmark is released.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

MIN_TENANTS = 5
EPSILON = Decimal("0.5")  # of one release
QUARTER_BUDGET = Decimal(3)  # three months of two measures
ERROR_RATE = 0.05
PRECISION = Decimal("0.000001")

TOO_FEW = "fewer than five tenants"
SPENT = "the privacy budget of the quarter is spent"


@dataclass(frozen=True, slots=True)
class PrivateMean:
    """A mean with noise. The noise is below `accuracy` in 95% of releases."""

    mean: Decimal
    accuracy: Decimal
    epsilon: Decimal


def refusal(tenants: int, spent: Decimal, epsilon: Decimal = EPSILON) -> str | None:
    """Say why a release is refused; None where it is allowed. `spent` is of the quarter so far."""
    if tenants < MIN_TENANTS:
        return TOO_FEW
    if spent + epsilon > QUARTER_BUDGET:
        return SPENT
    return None


def private_mean(shares: Sequence[Decimal], epsilon: Decimal = EPSILON) -> PrivateMean:
    """Return the mean of shares between 0 and 1, one of each tenant, with noise of scale 1 ÷ (n × ε).

    The number of tenants n is public. To replace one tenant's share is a symmetric distance of two:
    one value leaves and another comes. A distance of one would be none at all for data of a known
    size, and OpenDP would add no noise. Raises ValueError for fewer than five shares.
    """
    if len(shares) < MIN_TENANTS:
        raise ValueError(f"A benchmark needs {MIN_TENANTS} tenants.")
    import opendp.prelude as dp  # noqa: PLC0415 - see above

    dp.enable_features("contrib")
    context = dp.Context.compositor(
        data=[float(each) for each in shares],
        privacy_unit=dp.unit_of(contributions=2),
        privacy_loss=dp.loss_of(epsilon=float(epsilon)),
        split_evenly_over=1,
        domain=dp.vector_domain(dp.atom_domain(T=float, nan=False), size=len(shares)),
    )
    query = context.query().clamp((0.0, 1.0)).mean().laplace()
    accuracy = Decimal(dp.laplacian_scale_to_accuracy(query.param(), ERROR_RATE))
    noisy = Decimal(query.release())
    return PrivateMean(
        min(max(noisy, Decimal(0)), Decimal(1)).quantize(PRECISION),
        accuracy.quantize(PRECISION),
        epsilon,
    )
