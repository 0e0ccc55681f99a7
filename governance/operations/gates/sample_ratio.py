"""Sample ratio check: whether both releases got their share of the stage's answers. Pure.

A ratio that chance doesn't explain means that assignment or logging is broken, so the stage's other
figures can't be trusted (Fabijan et al., "Diagnosing Sample Ratio Mismatch", KDD 2019).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from governance.operations.gates.gates import GateReading, GateVerdict

SIGNIFICANCE = 0.001  # Usual level for this check, which runs again and again
SMALL_P = 0.0001  # Smaller p-values are shown as "p <"
MIN_EXPECTED = 5.0  # Minimum per group for the chi-square test to hold


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """The observed share of the candidate, and the probability of such a ratio by chance."""

    candidate: int
    current: int
    expected: float  # Expected share of the candidate
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


def ratio_reading(
    name: str,
    ratio: SampleRatio,
    needs: str,
    link: tuple[str, Mapping[str, Any]] | None = None,
) -> GateReading:
    """Return a sample ratio as a reading; a mismatch fails."""
    if ratio.p_value is None:
        verdict: GateVerdict = "undecided" if ratio.total else "missing"
        detail = "too few to test" if ratio.total else "no answers counted"
    else:
        verdict = "fail" if ratio.is_mismatch else "pass"
        p = f"p = {ratio.p_value:.2g}" if ratio.p_value >= SMALL_P else f"p < {SMALL_P}"
        detail = f"{p}, {'a mismatch' if ratio.is_mismatch else 'no mismatch'}"
    figure = f"{ratio.share * 100:.1f}%" if ratio.total else "none"
    return GateReading(name, verdict, needs, figure, detail, f"{ratio.total:,}", link)
