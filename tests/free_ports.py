"""Ports that a process started by a test can listen at."""

import random
import socket
from contextlib import ExitStack, suppress

# Below those that the system gives to any process that asks: another test may ask before the one
# that was started listens.
BELOW_EPHEMERAL = range(20_000, 32_000)


def free_port(count: int = 1) -> int:
    """The first of so many free ports beside each other; raise OSError where there are none."""
    for port in random.sample(BELOW_EPHEMERAL[::count], 50):
        with ExitStack() as bound, suppress(OSError):
            for each in range(port, port + count):
                bound.enter_context(socket.socket()).bind(("127.0.0.1", each))
            return port
    raise OSError(f"no {count} free ports beside each other")
