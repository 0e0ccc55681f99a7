"""The rate limit of each key: a leaky bucket in memory (GCRA, ATM Forum TM 4.0).

RateLimiter(workers).wait(key, rate, now)    0 if the request may pass, else the seconds to wait

Each worker grants its share, so that all workers together grant the rate.
"""

import threading
from dataclasses import dataclass, field
from uuid import UUID

BURST_SECONDS = 10  # Burst size, in seconds of the rate.
# Beyond it, the key that was quiet for longest is forgotten, which can only let a request through.
MAX_KEYS = 50_000


@dataclass(slots=True)
class RateLimiter:
    """The rate limits of one worker, out of `workers`."""

    workers: int = 1
    # The key that was quiet for longest is first.
    _due: dict[int, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, key: UUID, rate: int, now: float) -> float:
        """Return the seconds to wait; `rate` in requests/min, `now` of a monotonic clock."""
        if rate <= 0:
            return 0.0
        apart, number = 60 * self.workers / rate, key.int  # An int hashes much faster.
        with self._lock:
            due = max(self._due.pop(number, now), now)
            ahead = due - now + apart  # This order makes it exactly `apart` for a first request.
            wait = max(0.0, ahead - max(BURST_SECONDS, apart))
            self._due[number] = due if wait else due + apart  # It is now the last of the dict.
            if len(self._due) > MAX_KEYS:
                del self._due[next(iter(self._due))]
        return wait
