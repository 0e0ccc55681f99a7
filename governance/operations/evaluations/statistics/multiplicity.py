"""Corrections for many measures, many weeks and many looks.

Holm, "A simple sequentially rejective multiple test procedure", 1979. The looks at one growing run,
and the weeks of a series, each spend a part of one budget; by the union bound the parts add up,
however dependent the looks are.
"""

from collections.abc import Sequence

FALSE_ALARMS_PER_YEAR = 0.05  # Per series of one measure: one false alarm in twenty years
WEEKS_PER_YEAR = 52


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p-values corrected for each other, in the given order.

    The smallest of k is multiplied by k, the next one by k − 1, and none is less than one before
    it. The tests compare it with statsmodels.
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return tuple(corrected)


def confidence_of_look(look: int, confidence: float) -> float:
    """Return the confidence that the n-th look at one growing run needs, counted from 1.

    The first look, the only one of most runs, has the full confidence. Look n may err 1 ÷ n² as
    often, so any number of looks together errs at most π² ÷ 6 times as often as the first: 8.2% if
    one look errs 5%. The number of looks needn't be planned.
    """
    if look < 1:
        raise ValueError("looks are counted from 1")
    return 1 - (1 - confidence) / look**2


def confidence_of_week(false_alarms_per_year: float = FALSE_ALARMS_PER_YEAR) -> float:
    """Return the confidence at which one week of a series may raise an alarm."""
    return 1 - false_alarms_per_year / WEEKS_PER_YEAR
