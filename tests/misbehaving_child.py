"""Misbehaviors of a sandboxed child; `python -m tests.misbehaving_child VERB`.

Used by tests/kernel/test_sandbox.py.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path


def count_input() -> None:
    print(len(sys.stdin.buffer.read()))


def print_environment() -> None:
    print(json.dumps({"environment": dict(os.environ), "arguments": sys.argv[1:]}))


def take_memory() -> None:
    bytearray(4 * 1024**3)


def take_time() -> None:
    while True:
        pass


def wait_for_input() -> None:
    print(f"got {sys.stdin.readline().strip()}", flush=True)
    sys.stdin.read()
    print("the end")


def sleep() -> None:
    print(os.getpid(), flush=True)
    signal.pause()


def flood_output() -> None:
    while True:
        os.write(1, b"x" * 65536)


def flood_errors() -> None:
    for _ in range(256):
        os.write(2, b"e" * 65536)
    os.write(2, b"last words\n")
    sys.exit(4)


def write_large_file() -> None:
    with Path(sys.argv[2]).open("wb") as file:
        file.write(bytes(1024 * 1024))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def connect() -> None:
    """Print why a listener on this machine can't be reached."""
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=20)
        print("connected")
    except OSError as error:
        print(os.strerror(error.errno or 0))


def close_input() -> None:
    os.close(0)
    print("done")


def leave_grandchild() -> None:
    grandchild = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    print(grandchild.pid, flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
