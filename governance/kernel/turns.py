"""One page's thread at a time has the turn to compute, so that whatever may not wait for pages,
such as a decision or a stop, meets one of them at the interpreter's lock and not all.

    with taking_turns():   the work of a page
    with elsewhere():      within it, while it waits for the database, a socket or a child; in a
                           thread that takes no turns this does nothing

Threads that compute at once don't finish sooner: the interpreter lets one of them run. They only
ask for its lock again and again, and a lock that six threads want is given to any of them.
A page that keeps its turn for PATIENCE_SECONDS, for a long page or a wait that isn't named
here, loses it to the next one, and both go on: nobody waits longer for a page than that.
"""

import threading

PATIENCE_SECONDS = 0.05


class _Own(threading.local):
    takes = False  # this thread takes turns
    held: threading.Lock | None = None


_own = _Own()
_turn = threading.Lock()  # another one once somebody was late


def _take() -> None:
    global _turn  # noqa: PLW0603 - a turn that was not given back stays with the page that has it
    for _ in range(2):
        asked = _turn
        if asked.acquire(timeout=PATIENCE_SECONDS):
            _own.held = asked
            return
        if asked is _turn:
            _own.held = mine = threading.Lock()
            mine.acquire()
            _turn = mine
            return


def _give() -> None:
    held, _own.held = _own.held, None
    if held is not None:
        held.release()


class _TakingTurns:
    __slots__ = ()

    def __enter__(self) -> None:
        _own.takes = True
        _take()

    def __exit__(self, *_raised: object) -> None:
        _own.takes = False
        _give()


class _Elsewhere:
    __slots__ = ()

    def __enter__(self) -> None:
        if _own.takes:
            _give()

    def __exit__(self, *_raised: object) -> None:
        if _own.takes and _own.held is None:
            _take()


_taking_turns, _elsewhere = _TakingTurns(), _Elsewhere()


def taking_turns() -> _TakingTurns:
    """The work of a page: it waits for its turn, and gives it back at the end."""
    return _taking_turns


def elsewhere() -> _Elsewhere:
    """Others have the turn meanwhile."""
    return _elsewhere
