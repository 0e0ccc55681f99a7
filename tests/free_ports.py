"""Ports on which a process started by a test can listen."""

import random
import socket
from contextlib import ExitStack, suppress

# Below the ports that the system gives to any process: another test could get one before the
# started process listens.
BELOW_EPHEMERAL = range(20_000, 32_000)


def free_port(count: int = 1) -> int:
    """Return the first of `count` adjacent free ports. Raise OSError if there are none."""
    for port in random.sample(BELOW_EPHEMERAL[::count], 50):
        with ExitStack() as bound, suppress(OSError):
            for each in range(port, port + count):
                bound.enter_context(socket.socket()).bind(("127.0.0.1", each))
            return port
    raise OSError(f"no {count} free ports beside each other")
