"""Shares of a worker's threads that one key, session, tenant or network may use at once.

    shares = PageShares(submit)
    shares.start(owners, work, refuse)     run the work in a thread, now or in its turn; call `refuse`
                                           if an owner has too many requests waiting

The sender of a request isn't verified here, since that may query the database: owners come from
what the request presents. A wrong key or cookie only uses a thread until it is denied.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from governance.kernel.errors import TooManyRequests

type Work = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Share:
    """The number of requests of one owner that run at once, and that may wait for their turn."""

    running: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Owner:
    """A key, session, tenant or network that a request belongs to."""

    name: str
    share: Share


@dataclass(frozen=True, slots=True)
class _Waiting:
    owners: Sequence[Owner]
    work: Work


class PageShares:
    """The requests that run in the threads of `submit`, and those that wait for their share.

    Safe to use from several threads; never blocks.
    """

    def __init__(self, submit: Callable[[Work], object]) -> None:
        self._submit = submit
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._queued: Counter[str] = Counter()
        self._queue: dict[int, _Waiting] = {}  # In the order of arrival.
        self._number = 0

    def start(self, owners: Sequence[Owner], work: Work, refuse: Work) -> None:
        """Run the work once each of its owners has room, or call `refuse`."""
        with self._lock:
            has_room = self._has_room(owners)
            is_too_many = not has_room and any(
                self._queued[each.name] >= each.share.waiting for each in owners
            )
            if has_room:
                self._running.update(each.name for each in owners)
            elif not is_too_many:
                self._number += 1
                self._queue[self._number] = _Waiting(owners, work)
                self._queued.update(each.name for each in owners)
        if has_room:
            self._submit(lambda: self._run(owners, work))
        elif is_too_many:
            refuse()

    def _has_room(self, owners: Sequence[Owner]) -> bool:
        return all(self._running[each.name] < each.share.running for each in owners)

    def _run(self, owners: Sequence[Owner], work: Work) -> None:
        try:
            work()
        finally:
            self._end(owners)

    def _end(self, owners: Sequence[Owner]) -> None:
        """Release the owners' room, and start what waited for it."""
        started: list[_Waiting] = []
        with self._lock:
            _take_away(self._running, owners)
            for number, each in list(self._queue.items()):
                if self._has_room(each.owners):
                    del self._queue[number]
                    _take_away(self._queued, each.owners)
                    self._running.update(owner.name for owner in each.owners)
                    started.append(each)
        for each in started:
            self._submit(lambda each=each: self._run(each.owners, each.work))  # type: ignore[misc]


def _take_away(counts: Counter[str], owners: Sequence[Owner]) -> None:
    for each in owners:
        counts[each.name] -= 1
        if not counts[each.name]:
            del counts[each.name]


def too_many() -> TooManyRequests:
    return TooManyRequests("Too many of your requests are in progress. Send fewer at once.")
