"""One event of the demo's story."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """What one person of the tenant does on a day.

    `part` names the person (governance/demo/cast.py); `act` calls the product's own actions.
    """

    day: date
    part: str
    act: Callable[[], object]
    hour: int = 10
