"""Row identifiers: UUID version 7 (RFC 9562), which sort by the time of their creation."""

import os
import threading
from uuid import UUID

from governance.kernel import clock

_lock = threading.Lock()
_last = (0, 0)


def uuid7() -> UUID:
    """Return 48 bits of milliseconds, 12 of the fraction (§6.2, method 3), and 61 random ones.

    Ids that one process creates in the same instant, as under a frozen clock, increase by random
    steps (method 2), so that what was written first still sorts first.
    """
    global _last  # noqa: PLW0603 - the last id of this process
    microseconds = int(clock.now().timestamp() * 1_000_000)
    stamp = microseconds // 1000 << 12 | microseconds % 1000 * 4096 // 1000
    with _lock:
        again = stamp == _last[0]
        tail = (
            _last[1] + 1 + int.from_bytes(os.urandom(4), "big")
            if again
            else int.from_bytes(os.urandom(8), "big") >> 3
        )
        _last = (stamp, tail)
    return UUID(int=(stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0x2 << 62 | tail)
