"""Shutdown of the demo from any state, with every process that it started.

on_signals(leave)     SIGTERM, Ctrl-C and a closed terminal end everything and exit at once
deferred()            delay these signals until the block ends
end_children()        end what this process started, and what that started
"""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType

import psutil

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
END_SECONDS = 10
PAUSE_SECONDS = 0.1
_deferred: list[int] | None = None  # signals that arrived while deferred


def on_signals(leave: Callable[[int], object]) -> None:
    """Call `leave` with the number of the first of these signals. Later ones are ignored."""

    def arrive(number: int, _frame: FrameType | None) -> None:
        if _deferred is not None:
            _deferred.append(number)
            return
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        leave(number)

    is_to_outlive_terminal = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN  # set by nohup
    for each in SIGNALS:  # A shell's `&` makes children ignore SIGINT.
        if each != signal.SIGHUP or not is_to_outlive_terminal:
            signal.signal(each, arrive)


@contextmanager
def deferred() -> Iterator[None]:
    """Defer signals until the block ends.

    Used while a server starts that outlives this process, which must not be interrupted.
    """
    global _deferred  # noqa: PLW0603 - signals belong to the process
    _deferred = []
    try:
        yield
    finally:
        arrived, _deferred = _deferred, None
        for number in arrived[:1]:
            os.kill(os.getpid(), number)


def end_children(forked: Collection[psutil.Process] = ()) -> None:
    """End every descendant: with SIGTERM first, and by force after ten seconds.

    Direct children end last, because one of them forks the others and may be about to. `forked`
    are the processes that it forked. A signal to the whole process group also ends the process
    that forked them, and after that they have no parent here.
    """
    ours = psutil.Process()
    own = {ours, *ours.children()}
    _end({ours, *forked}, but=own)
    _end({ours}, but={ours})


def _end(roots: Collection[psutil.Process], but: Collection[psutil.Process]) -> None:
    until = time.monotonic() + END_SECONDS
    known = set[psutil.Process]()
    asked: set[psutil.Process] | None = None  # for a second scan, as one may have been forking
    while time.monotonic() < until:
        known |= {each for root in roots for each in _with_descendants(root)}.difference(but)
        there = {each for each in known if _is_alive(each)}
        for each in there - (asked or set()):
            _signal(each, signal.SIGTERM)
        if not there and asked == known:
            return
        asked = {*known}
        time.sleep(PAUSE_SECONDS)
    for each in known:
        _signal(each, signal.SIGKILL)


def _with_descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
