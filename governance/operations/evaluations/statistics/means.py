"""The interval of a mean: cost per request, a score between 0 and 1.

The method is Student's t on the mean and the standard deviation of the samples.
"""

from dataclasses import dataclass
from math import isfinite, sqrt

from governance.operations.evaluations.statistics.rates import CONFIDENCE

MIN_SAMPLES = 2  # A single sample has no spread.


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """A mean in the unit of its measure, with its interval."""

    mean: float
    low: float
    high: float
    confidence: float


def mean_interval(
    mean: float, deviation: float, n: int, confidence: float = CONFIDENCE
) -> MeanInterval | None:
    """Return Student's interval, or None for fewer than two samples, which have no spread.

    `deviation` is the standard deviation of the samples, not of their mean. Raises ValueError
    if a figure isn't finite or the deviation is negative.
    """
    if not (isfinite(mean) and isfinite(deviation)) or deviation < 0:
        raise ValueError("mean and deviation must be finite, the deviation not negative")
    if n < MIN_SAMPLES:
        return None
    from scipy.special import stdtrit  # noqa: PLC0415 - loads NumPy

    reach = float(stdtrit(n - 1, (1 + confidence) / 2)) * deviation / sqrt(n)
    return MeanInterval(mean, mean - reach, mean + reach, confidence)
