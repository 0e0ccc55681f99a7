"""Verdicts of a figure against its threshold: pass, fail, or undecided at this n."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, floor, inf, isfinite

from governance.operations.evaluations.statistics.means import mean_interval
from governance.operations.evaluations.statistics.rates import CONFIDENCE, rate_interval

MAX_SAMPLES = 10_000_000  # Larger numbers are impractical: "no number of samples"


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The limit of a measure: at least, or at most, a value in the measure's unit."""

    limit: float
    at_least: bool

    def judge(self, low: float, high: float) -> Verdict:
        """Judge by the full interval, so that only certain results pass or fail."""
        if self.at_least:
            return _decided(passes=low >= self.limit, fails=high < self.limit)
        return _decided(passes=high <= self.limit, fails=low > self.limit)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, the interval that it is based on, and the samples that would decide it."""

    verdict: Verdict
    n: int
    point: float | None = None
    low: float | None = None
    high: float | None = None
    more_samples: int | None = None  # None if it is decided, or if no number decides


def judge_rate(
    successes: int, n: int, threshold: Threshold, confidence: float = CONFIDENCE
) -> Judgement:
    """Judge a rate by Wilson's interval. Zero evaluated samples are undecided, never a pass.

    While undecided, `more_samples` is the number that would decide if the rate stays as it is.
    """
    if n == 0:
        return Judgement(Verdict.UNDECIDED, 0)
    interval = rate_interval(successes, n, confidence)
    verdict = threshold.judge(interval.low, interval.high)

    def decides(samples: int) -> bool:
        more = rate_interval(interval.rate * samples, samples, confidence)
        return threshold.judge(more.low, more.high) is not Verdict.UNDECIDED

    return Judgement(
        verdict,
        n,
        interval.rate,
        interval.low,
        interval.high,
        _further(n, decides) if verdict is Verdict.UNDECIDED else None,
    )


def judge_mean(
    mean: float,
    deviation: float,
    n: int,
    threshold: Threshold,
    confidence: float = CONFIDENCE,
) -> Judgement:
    """Judge a mean by Student's interval. Fewer than two samples are undecided."""
    interval = mean_interval(mean, deviation, n, confidence) if n else None
    if interval is None:
        return Judgement(Verdict.UNDECIDED, n, mean if n else None)
    verdict = threshold.judge(interval.low, interval.high)

    def decides(samples: int) -> bool:
        wider = mean_interval(mean, deviation, samples, confidence)
        return wider is not None and (
            threshold.judge(wider.low, wider.high) is not Verdict.UNDECIDED
        )

    return Judgement(
        verdict,
        n,
        mean,
        interval.low,
        interval.high,
        _further(n, decides) if verdict is Verdict.UNDECIDED else None,
    )


def judge_percentile(
    values: Sequence[float],
    percent: int,
    threshold: Threshold,
    confidence: float = CONFIDENCE,
) -> Judgement:
    """Judge a percentile, such as p95 latency, by order statistics. `values` are sorted.

    The number of values below the true percentile is binomial for any distribution, so the
    percentile is between two of the values. If the upper one would be beyond the largest value, the
    sample is too small for an upper bound, so the measure can only fail.
    """
    n = len(values)
    if not n:
        return Judgement(Verdict.UNDECIDED, 0)
    point = values[max(ceil(n * percent / 100), 1) - 1]
    low_rank, high_rank = _ranks(n, percent, confidence)
    low, high = values[low_rank - 1], values[high_rank - 1] if high_rank <= n else inf
    verdict = threshold.judge(low, high)
    within = sum(value <= threshold.limit for value in values)

    def decides(samples: int) -> bool:
        lower, upper = _ranks(samples, percent, confidence)
        expected = within * samples // n
        return expected >= upper or expected < lower

    return Judgement(
        verdict,
        n,
        point,
        low,
        high if isfinite(high) else None,
        _further(n, decides) if verdict is Verdict.UNDECIDED else None,
    )


def _ranks(n: int, percent: int, confidence: float) -> tuple[int, int]:
    """Return the ranks, from 1, of the values on both sides of the percentile."""
    interval = rate_interval(n * percent / 100, n, confidence)
    return max(floor(n * interval.low), 1), ceil(n * interval.high) + 1


def _decided(*, passes: bool, fails: bool) -> Verdict:
    if passes:
        return Verdict.PASS
    return Verdict.FAIL if fails else Verdict.UNDECIDED


def _further(n: int, decides: Callable[[int], bool]) -> int | None:
    """Return the smallest number of further samples that decides, or None up to ten million."""
    enough = max(2 * n, 2)
    while not decides(enough):
        enough *= 2
        if enough > MAX_SAMPLES:
            return None
    short = max(enough // 2, n)
    while enough - short > 1:
        middle = ceil((enough + short) / 2)
        if middle == enough:
            break
        if decides(middle):
            enough = middle
        else:
            short = middle
    return enough - n
