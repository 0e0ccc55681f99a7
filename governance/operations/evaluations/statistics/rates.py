"""The interval of one rate, and the confidence that several of them need together.

Wilson, "Probable inference, the law of succession, and statistical inference", 1927; Šidák,
"Rectangular confidence regions for the means of multivariate normal distributions", 1967.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class RateInterval:
    """A share between 0 and 1 with an interval that has the true one at its confidence."""

    rate: float
    low: float
    high: float
    confidence: float


def rate_interval(successes: float, n: int, confidence: float = CONFIDENCE) -> RateInterval:
    """Return Wilson's interval of successes ÷ n.

    Runs and pages call it all the time, so it doesn't load the 100 MB that statsmodels needs; the
    tests compare it with statsmodels.

    Successes may be fractional, since a constant rate with a growing n has parts of one. Raises
    ValueError for an n of 0, and for successes outside 0 to n.
    """
    if n < 1:
        raise ValueError("a rate needs at least one evaluated sample")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} samples")
    z, rate = _quantile((1 + confidence) / 2), successes / n
    shrunk = 1 + z * z / n
    centre = (rate + z * z / (2 * n)) / shrunk
    reach = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / shrunk
    # Rounding errors could put the bounds of 0 and of n of n beyond the rate.
    return RateInterval(
        rate, max(min(centre - reach, rate), 0.0), min(max(centre + reach, rate), 1.0), confidence
    )


@lru_cache
def _quantile(share: float) -> float:
    """Return the quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(share)


def joint_confidence(measures: int, joint: float = CONFIDENCE) -> float:
    """Return the confidence that each of several intervals needs to hold jointly with `joint`.

    The method is Šidák's k-th root. Three guardrails at a joint 95% need 98.305% each.
    """
    if measures < 1:
        raise ValueError("at least one measure")
    return float(joint ** (1 / measures))
