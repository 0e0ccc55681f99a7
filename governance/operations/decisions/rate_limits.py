"""How often a key may ask: a leaky bucket for each key, in memory (GCRA, the generic cell rate
algorithm of ATM Forum TM 4.0).

    Limiter(share).wait(key, rate, now)    0 when the request may pass, otherwise the seconds to
                                           wait

A worker grants its share of the rate, so that all workers together grant the whole.
"""

import threading
from dataclasses import dataclass, field
from uuid import UUID

BURST = 10  # seconds' worth of requests may come at once
# remembered; beyond it the key that has been quiet for longest is forgotten, which can only let
# through
MAX_KEYS = 50_000


@dataclass(slots=True)
class Limiter:
    """Counts for one worker, one of `workers`."""

    workers: int = 1
    _due: dict[UUID, float] = field(default_factory=dict)  # the key that asked longest ago first
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, key: UUID, rate: int, now: float) -> float:
        """`rate` requests a minute; `now` in seconds of a clock that never goes back."""
        if rate <= 0:
            return 0.0
        apart = 60 * self.workers / rate
        with self._lock:
            due = max(self._due.pop(key, now), now)
            ahead = due - now + apart  # in this order: of who asks first it is exactly `apart`
            wait = max(0.0, ahead - max(BURST, apart))
            self._due[key] = (
                due if wait else due + apart
            )  # last of all: a dict keeps the order in which keys asked
            if len(self._due) > MAX_KEYS:
                del self._due[next(iter(self._due))]
        return wait
