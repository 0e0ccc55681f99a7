"""Whether both releases got the share of answers that the stage gives them. Pure.

A ratio that chance doesn't explain means that assignment or logging is broken, so that no other
figure of the stage can be trusted (Fabijan et al., "Diagnosing Sample Ratio Mismatch", KDD 2019).
"""

from dataclasses import dataclass

SIGNIFICANCE = 0.001  # as usual for this check, which is made again and again
MIN_EXPECTED = 5.0  # in each group, below which the chi-square test doesn't hold


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """The observed share of the candidate, and how likely such a ratio is by chance."""

    candidate: int
    current: int
    expected: float  # the share of the candidate
    p_value: float | None  # None with too few answers

    @property
    def total(self) -> int:
        return self.candidate + self.current

    @property
    def share(self) -> float:
        return self.candidate / self.total if self.total else 0.0

    @property
    def is_mismatch(self) -> bool:
        return self.p_value is not None and self.p_value < SIGNIFICANCE


def sample_ratio(candidate: int, current: int, expected: float) -> SampleRatio:
    """Test the two counts against the expected share of the candidate, between 0 and 1."""
    total = candidate + current
    wanted = (total * expected, total * (1 - expected))
    if expected in {0.0, 1.0}:
        stray = candidate if expected == 0.0 else current
        return SampleRatio(candidate, current, expected, 0.0 if stray else (1.0 if total else None))
    if min(wanted) < MIN_EXPECTED:
        return SampleRatio(candidate, current, expected, None)
    from scipy.special import chdtrc  # noqa: PLC0415 - loads NumPy

    pairs = zip((candidate, current), wanted, strict=True)
    statistic = sum((seen - due) ** 2 / due for seen, due in pairs)
    return SampleRatio(candidate, current, expected, float(chdtrc(1, statistic)))
