"""Request bodies: how slowly they may arrive, and how many slow senders of a kind there may be.

No thread waits for a body of up to BUFFERED_BYTES: `kernel/web/server.py` collects it and starts
the application when it is complete. A longer body is streamed to a thread of its own, so it needs
an upload slot first. A sender needs a waiting slot only once its body is late by GRACE_SECONDS.
"""

import io
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import prometheus_client
import structlog

from governance.kernel.errors import DomainError, Invalid, Unavailable
from governance.kernel.web.page_shares import Owner

type Environ = dict[str, Any]

BUFFERED_BYTES = 64 * 1024
MIN_BODY_BYTES_PER_SECOND = 4 * 1024
# Seconds that a body may fall behind that rate; also the longest silence.
MAX_BODY_LAG_SECONDS = 10
GRACE_SECONDS = 1  # A body that is complete by then needs no slot.
STRANGER_DEADLINE_SECONDS = 5 * 60
KNOWN_DEADLINE_SECONDS = 4 * 60 * 60
REFUSED = "governance.refused_body"  # In a WSGI environ: the DomainError to answer with.

refused_bodies = prometheus_client.Counter(
    "governance_refused_bodies_total",
    "Request bodies that were too slow, were interrupted or exceeded capacity",
    ["reason", "sender"],
)
log = structlog.get_logger("bodies")


class SlowBody(DomainError):
    """The body arrived below MIN_BODY_BYTES_PER_SECOND, or not before its deadline."""

    status = 408


class InterruptedBody(Invalid):
    """The connection ended, or the form cannot be parsed, before the body did."""

    status = 400


def too_slow() -> SlowBody:
    return SlowBody("The upload was too slow. Nothing was saved; try again on a faster connection.")


def interrupted() -> InterruptedBody:
    return InterruptedBody("The upload was interrupted. Nothing was saved; try again.")


def busy() -> Unavailable:
    return Unavailable(
        "Too many slow uploads are in progress. Nothing was changed; try again soon."
    )


# ---- places


@dataclass(frozen=True, slots=True)
class Room:
    """The slots of one kind of sender in one worker, and how many of them one sender may use."""

    waiting: int
    waiting_each: int
    uploads: int
    uploads_each: int
    deadline_seconds: int


ROOMS = {
    "stranger": Room(64, 16, 4, 2, STRANGER_DEADLINE_SECONDS),
    "person": Room(32, 8, 3, 2, KNOWN_DEADLINE_SECONDS),
    "key": Room(32, 8, 3, 2, KNOWN_DEADLINE_SECONDS),
    "urgent": Room(8, 2, 0, 0, STRANGER_DEADLINE_SECONDS),  # People who stop, restart or approve.
}
UPLOAD_THREADS = sum(room.uploads for room in ROOMS.values())


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of a body: the kind decides the limits, the owner is a person, key or network."""

    kind: str
    owner: str


class UploadSlots:
    """The used slots of a worker. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Tally[tuple[str, str]] = Tally()

    def take(self, sender: Sender, *, upload: bool = False) -> Callable[[], None] | None:
        """Take a slot; return the function that releases it, or None when there is none left."""
        room = ROOMS[sender.kind]
        total, each = (
            (room.uploads, room.uploads_each) if upload else (room.waiting, room.waiting_each)
        )
        every, own = (sender.kind, f"upload {upload}"), (sender.kind, f"{upload} {sender.owner}")
        with self._lock:
            if self._taken[every] >= total or self._taken[own] >= each:
                return None
            self._taken[every] += 1
            self._taken[own] += 1
        return lambda: self._give_back(every, own)

    def _give_back(self, *keys: tuple[str, str]) -> None:
        with self._lock:
            for key in keys:
                self._taken[key] -= 1
                if not self._taken[key]:
                    del self._taken[key]


@dataclass(frozen=True, slots=True)
class Serving:
    """The application's functions for the server, as `app.extensions["serving"]`.

    `identify` returns the sender of a request and may query the database. `is_instant`: the answer
    comes from memory, so it needs no thread. `is_urgent`: it has threads and slots of its own.
    `owners`: the owners whose shares of those threads, or else of the pages' threads, a request
    uses.
    """

    identify: Callable[[Environ], Sender]
    is_instant: Callable[[Environ], bool]
    is_urgent: Callable[[Environ], bool]
    owners: Callable[[Environ, bool], Sequence[Owner]]


# ---- pace


class UploadRate:
    """The upload rate of a body. Only the time spent waiting for bytes counts."""

    __slots__ = ("_lag_left", "_since", "started")

    def __init__(self) -> None:
        self.started = self._since = time.monotonic()
        self._lag_left: float = MAX_BODY_LAG_SECONDS

    def wait(self) -> None:
        """Start to wait for bytes."""
        self._since = time.monotonic()

    def came(self, count: int) -> None:
        """Record so many bytes, which end the wait."""
        now = time.monotonic()
        left = self._lag_left - (now - self._since) + count / MIN_BODY_BYTES_PER_SECOND
        self._lag_left, self._since = min(left, MAX_BODY_LAG_SECONDS), now

    def seconds_left(self, deadline_seconds: float) -> float:
        """Return how long to wait for the next byte; zero or less when the body is too slow."""
        now = time.monotonic()
        lag = self._lag_left - (now - self._since)
        return min(lag, self.started + deadline_seconds - now)

    @property
    def seconds(self) -> float:
        """The seconds since the request arrived."""
        return time.monotonic() - self.started


def note_refused(reason: str, sender: Sender | None, received: int, pace: UploadRate) -> None:
    """Count and log a rejected body, once."""
    kind = sender.kind if sender else "unknown"
    refused_bodies.labels(reason, kind).inc()
    log.warning(
        "body refused",
        reason=reason,
        sender=kind,
        received_bytes=received,
        seconds=round(pace.seconds, 1),
    )


# ---- what the application reads


class RefusedInput(io.RawIOBase):
    """The input of a request whose body was rejected: reading it raises the error."""

    def __init__(self, error: DomainError) -> None:
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: object) -> int:
        raise self._error


class StreamedInput(io.RawIOBase):
    """The input of an upload.

    `receive(timeout_seconds)` returns the next bytes and whether more follow, or None if none came
    in time. Reading raises SlowBody and InterruptedBody.
    """

    def __init__(
        self,
        first: bytes,
        receive: Callable[[float], tuple[bytes, bool] | None],
        pace: UploadRate,
        sender: Sender,
    ) -> None:
        self._chunk, self._more = memoryview(first), True
        self._receive, self._pace, self._sender = receive, pace, sender
        self._received = len(first)
        self._error: DomainError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._chunk and self._more:
            self._fill()
        count = min(len(buffer), len(self._chunk))
        buffer[:count] = self._chunk[:count]
        self._chunk = self._chunk[count:]
        return count

    def _fill(self) -> None:
        if self._error is not None:
            raise self._error
        self._pace.wait()
        try:
            received = self._receive(
                self._pace.seconds_left(ROOMS[self._sender.kind].deadline_seconds)
            )
        except InterruptedBody as error:
            raise self._refuse("broken off", error) from None
        if received is None:
            raise self._refuse("slow", too_slow())
        data, self._more = received
        self._received += len(data)
        self._pace.came(len(data))
        if self._more and self._pace.seconds_left(ROOMS[self._sender.kind].deadline_seconds) <= 0:
            raise self._refuse("slow", too_slow())
        self._chunk = memoryview(data)

    def _refuse(self, reason: str, error: DomainError) -> DomainError:
        self._error = error
        note_refused(reason, self._sender, self._received, self._pace)
        return error
