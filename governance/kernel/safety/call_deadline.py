"""One deadline for one outgoing call, wherever it waits.

A timeout of a socket starts again with each byte, so a server that sends its headers one byte a
second is never too slow for it. A deadline shuts the call's sockets down when its time is over.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

_current: ContextVar["Deadline"] = ContextVar("call deadline")


class Deadline:
    """The end of one call, `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds
        self._ended = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(max(seconds, 0), self._shut_down)
        self._timer.daemon = True

    @property
    def seconds_left(self) -> float:
        return max(self._at - time.monotonic(), 0.0)

    @property
    def is_over(self) -> bool:
        return self._ended or not self.seconds_left

    def watch(self, connected: socket.socket) -> None:
        """Shut that connection down when the time is over.

        A duplicate is kept, since TLS detaches the descriptor from the socket that it wraps.
        """
        own = socket.socket(fileno=os.dup(connected.fileno()))
        with self._lock:
            self._sockets.append(own)
        if self._ended:
            self._shut_down()

    def start(self) -> None:
        self._timer.start()

    def cancel(self) -> None:
        self._timer.cancel()
        with self._lock:
            for each in self._sockets:
                each.close()
            self._sockets.clear()

    def _shut_down(self) -> None:
        with self._lock:
            self._ended = True
            for each in self._sockets:
                with contextlib.suppress(OSError):  # The server may have closed it.
                    each.shutdown(socket.SHUT_RDWR)


@contextmanager
def deadline(seconds: float) -> Generator[Deadline]:
    """End every connection that this thread opens in the block when the block's time is over."""
    one = Deadline(seconds)
    token = _current.set(one)
    one.start()
    try:
        yield one
    finally:
        _current.reset(token)
        one.cancel()


class TimedHTTPConnection(HTTPConnection):
    """A connection with the deadline of the call, over all addresses of the name."""

    def _new_conn(self) -> socket.socket:
        return _connect(self, self._dns_host, {"socket_options": self.socket_options})


class TimedHTTPSConnection(HTTPSConnection):
    """A TLS connection with the deadline of the call, over all addresses of the name."""

    def _new_conn(self) -> socket.socket:
        return _connect(self, self._dns_host, {"socket_options": self.socket_options})


def _connect(connection: HTTPConnection, host: str, options: Mapping[str, Any]) -> socket.socket:
    """Try the addresses one after the other; each has the connection's timeout."""
    ends = _current.get()
    try:
        found = socket.getaddrinfo(host, connection.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as fault:
        raise NameResolutionError(host, connection, fault) from fault  # type: ignore[arg-type]
    failure: OSError | None = None
    for *_, address in found:
        if ends.is_over:
            break
        seconds = min(float(connection.timeout or ends.seconds_left), ends.seconds_left)
        try:
            connected = create_connection((str(address[0]), connection.port), seconds, **options)
        except OSError as fault:
            failure = fault
        else:
            connected.settimeout(connection.timeout)
            ends.watch(connected)
            return connected
    if failure is None or isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, f"Connecting to {host} took too long") from failure
    raise NewConnectionError(connection, f"No connection to {host}") from failure
