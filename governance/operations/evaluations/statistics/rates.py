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
    """A share between 0 and 1 with the interval that holds the true one so often."""

    rate: float
    low: float
    high: float
    confidence: float


def rate_interval(successes: float, n: int, confidence: float = CONFIDENCE) -> RateInterval:
    """Return Wilson's interval of successes ÷ n.

    Runs and pages ask for it all the time, so it doesn't load the 100 MB that statsmodels needs;
    the tests hold it against statsmodels.

    Successes needn't be whole: a rate that stays as it is while n grows has parts of one. Raises
    ValueError for an n of 0, which is no rate, and for successes outside 0 to n.
    """
    if n < 1:
        raise ValueError("a rate needs at least one evaluated sample")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} samples")
    z, rate = _quantile((1 + confidence) / 2), successes / n
    shrunk = 1 + z * z / n
    centre = (rate + z * z / (2 * n)) / shrunk
    reach = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / shrunk
    # the bounds of 0 and of n of n miss the rate by a rounding error
    return RateInterval(
        rate, max(min(centre - reach, rate), 0.0), min(max(centre + reach, rate), 1.0), confidence
    )


@lru_cache
def _quantile(share: float) -> float:
    """Of the standard normal distribution."""
    return NormalDist().inv_cdf(share)


def joint_confidence(measures: int, joint: float = CONFIDENCE) -> float:
    """Return the confidence of each of several intervals that together hold with `joint`.

    Šidák: the k-th root. Three guardrails at a joint 95% need 98.305% each.
    """
    if measures < 1:
        raise ValueError("at least one measure")
    return float(joint ** (1 / measures))
