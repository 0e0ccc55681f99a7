"""Random tokens with their values, in memory and for a limited time."""

import secrets
import threading
from collections import OrderedDict

from governance.kernel import clock


def now_seconds() -> int:
    """Return the time as a Unix timestamp."""
    return int(clock.now().timestamp())


class TokenStore[T]:
    """Random tokens with their values, for `seconds`. The oldest are dropped beyond the maximum."""

    def __init__(self, seconds: int, most: int = 5000) -> None:
        self._seconds, self._most = seconds, most
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[int, T]] = OrderedDict()

    def put(self, value: T) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._entries[token] = (now_seconds() + self._seconds, value)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        return token

    def see(self, token: str | None) -> T | None:
        with self._lock:
            return self._live(self._entries.get(token or ""))

    def take(self, token: str | None) -> T | None:
        """Remove and return the value of a token."""
        with self._lock:
            return self._live(self._entries.pop(token or "", None))

    def values(self) -> list[T]:
        with self._lock:
            return [value for until, value in self._entries.values() if now_seconds() < until]

    def _live(self, entry: tuple[int, T] | None) -> T | None:
        return entry[1] if entry and now_seconds() < entry[0] else None
