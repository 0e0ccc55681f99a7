"""Events and steps of the demo's story."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from governance.kernel import clock


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """An action of one person of the tenant on a day.

    `part` names the person (governance/demo/cast.py). `act` calls the product's own actions.
    """

    day: date
    part: str
    act: Callable[[], object]
    hour: int = 10


@dataclass(frozen=True, slots=True)
class StoryStep:
    """An action at an instant. `act` opens its own transactions."""

    at: datetime
    act: Callable[[], object]

    def play(self) -> None:
        with clock.frozen(self.at):
            self.act()
