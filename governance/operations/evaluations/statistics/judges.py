"""A judging model's agreement with people, and the correction of its rates.

Cohen, "A coefficient of agreement for nominal scales", 1960, with the error of Fleiss, Cohen and
Everitt, "Large sample standard errors of kappa and weighted kappa", 1969; Rogan and Gladen,
"Estimating prevalence from the results of a screening test", 1978, with the interval of Lang and
Reiczigel, "Confidence limits for prevalence of disease adjusted for estimated sensitivity and
specificity", 2014.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from governance.operations.evaluations.statistics.rates import CONFIDENCE, RateInterval


@dataclass(frozen=True, slots=True)
class HumanLabels:
    """Counts of "yes" by judge and people on one labelled set."""

    both_yes: int
    only_people: int
    only_judge: int
    both_no: int

    @property
    def n(self) -> int:
        return self.both_yes + self.only_people + self.only_judge + self.both_no


@dataclass(frozen=True, slots=True)
class Agreement:
    """Cohen's kappa with its interval: 1 is full agreement, 0 is agreement by chance."""

    kappa: float
    low: float
    high: float
    n: int


def agreement(labels: HumanLabels, confidence: float = CONFIDENCE) -> Agreement | None:
    """Return kappa, or None if either side gave only one label."""
    if not labels.n:
        return None
    people = labels.both_yes + labels.only_people, labels.only_judge + labels.both_no
    judge = labels.both_yes + labels.only_judge, labels.only_people + labels.both_no
    if 0 in people or 0 in judge:
        return None
    rows, columns = [each / labels.n for each in people], [each / labels.n for each in judge]
    chance = sum(row * column for row, column in zip(rows, columns, strict=True))
    alike = [labels.both_yes / labels.n, labels.both_no / labels.n]
    kappa = (sum(alike) - chance) / (1 - chance)
    variance = sum(
        share * (1 - (row + column) * (1 - kappa)) ** 2
        for share, row, column in zip(alike, rows, columns, strict=True)
    )
    variance += (1 - kappa) ** 2 * (
        labels.only_people / labels.n * (columns[0] + rows[1]) ** 2
        + labels.only_judge / labels.n * (columns[1] + rows[0]) ** 2
    )
    variance -= (kappa - chance * (1 - kappa)) ** 2
    error = sqrt(max(variance, 0.0) / labels.n) / (1 - chance)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return Agreement(kappa, max(kappa - reach, -1.0), min(kappa + reach, 1.0), labels.n)


def corrected_rate(
    yes: int, n: int, labels: HumanLabels, confidence: float = CONFIDENCE
) -> RateInterval | None:
    """Estimate the rate that people would have found from the judge's rate.

    (rate + specificity − 1) ÷ (sensitivity + specificity − 1), kept within 0 and 1. None if the
    judge is no better than a coin, or if people labelled no case of one kind.
    """
    positives = labels.both_yes + labels.only_people
    negatives = labels.only_judge + labels.both_no
    if not n or not positives or not negatives:
        return None
    sensitivity, specificity = labels.both_yes / positives, labels.both_no / negatives
    if sensitivity + specificity <= 1:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    samples, m, k = n + z * z, positives + 2, negatives + 2
    p = (yes + z * z / 2) / samples
    se, sp = (labels.both_yes + 1) / m, (labels.both_no + 1) / k
    youden = se + sp - 1
    if youden <= 0:
        return None
    centre = (p + sp - 1) / youden
    shift = 2 * z * z * (centre * se * (1 - se) / m - (1 - centre) * sp * (1 - sp) / k)
    variance = p * (1 - p) / samples + (1 - centre) ** 2 * sp * (1 - sp) / k
    variance = (variance + centre**2 * se * (1 - se) / m) / youden**2
    point = (yes / n + specificity - 1) / (sensitivity + specificity - 1)
    reach = z * sqrt(variance)
    low, high = centre + shift - reach, centre + shift + reach
    return RateInterval(_share(point), _share(low), _share(high), confidence)


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
