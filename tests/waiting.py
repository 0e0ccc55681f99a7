"""Waiting for a condition, however busy the machine is, and never for a measured time."""

import time
from collections.abc import Callable

MAX_WAIT_SECONDS = 120  # Seconds until a test gives up. It promises no speed.


def wait_until(told: Callable[[], object]) -> None:
    """Return once `told` returns a true value. Raise after MAX_WAIT_SECONDS."""
    until = time.monotonic() + MAX_WAIT_SECONDS
    while not told():
        assert time.monotonic() < until, f"not so after {MAX_WAIT_SECONDS} s"
        time.sleep(0.02)
