"""Many measures, many weeks, many looks: what one of them may still conclude.

Holm, "A simple sequentially rejective multiple test procedure", 1979. The looks at one run that
still grows, and the weeks of a series, each spend a part of one budget; by the union bound the
parts add up whatever ties the looks together.
"""

from collections.abc import Sequence

FALSE_ALARMS_PER_YEAR = 0.05  # of one series of one measure: one false alarm in twenty years
WEEKS_PER_YEAR = 52


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p-values corrected for each other, in the given order.

    The smallest of k counts k times, the next one k − 1 times, and none less than one before it. The
    tests hold it against statsmodels.
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return tuple(corrected)


def confidence_of_look(look: int, confidence: float) -> float:
    """Return the confidence that the n-th look at one growing run needs, counted from 1.

    The first look, which is the only one of most runs, has it all. Look n may err 1 ÷ n² as often,
    so all looks together err at most π² ÷ 6 times as often as the first, however many there are:
    8.2% where one look errs 5%. Nobody has to plan the looks ahead.
    """
    if look < 1:
        raise ValueError("looks are counted from 1")
    return 1 - (1 - confidence) / look**2


def confidence_of_week(false_alarms_per_year: float = FALSE_ALARMS_PER_YEAR) -> float:
    """Return the confidence at which one week of a series may raise an alarm."""
    return 1 - false_alarms_per_year / WEEKS_PER_YEAR
