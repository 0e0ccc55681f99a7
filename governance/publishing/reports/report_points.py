"""A point of a report's executive summary."""

from collections.abc import Iterable
from dataclasses import dataclass

MAX_KEY_FINDINGS = 3  # On the summary.


@dataclass(frozen=True, slots=True)
class ReportPoint:
    """A claim, its reason, the action, and its terms.

    `weight` 0 is the worst. `place` is the anchor of the section with the details.
    """

    weight: int
    claim: str
    text: str
    act: str
    terms: str
    place: str


def worst_first(points: Iterable[ReportPoint]) -> list[ReportPoint]:
    return sorted(points, key=lambda point: point.weight)
