"""One of the things that matter in a report."""

from collections.abc import Iterable
from dataclasses import dataclass

MAX_MATTERS = 3  # on the summary


@dataclass(frozen=True, slots=True)
class ReportPoint:
    """A claim, why, what to do and on which terms.

    `weight` 0 is the worst; `place` is the anchor of the section with the details.
    """

    weight: int
    claim: str
    text: str
    act: str
    terms: str
    place: str


def worst_first(points: Iterable[ReportPoint]) -> list[ReportPoint]:
    return sorted(points, key=lambda point: point.weight)
