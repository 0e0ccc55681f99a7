"""Processes of the demo, each forked from one that has already imported Meridian.

prepare()                    start that process; it imports in parallel with the caller
child(module, …)             run a module as `python -m` does, until the block ends
started                      the processes that are running in such blocks

Importing Meridian takes seconds of CPU time, and the demo has seven processes. Each is forked
from a process that has neither threads nor connections.
"""

import contextlib
import os
import runpy
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import forkserver, get_context, set_start_method
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import psutil

SHARED = ("governance.app.factory", "governance.kernel.web.server", "governance.demo.world")
END_SECONDS = 10
started: list[psutil.Process] = []
_context = get_context("forkserver")


def prepare() -> None:
    """Start the process that the others are forked from."""
    _context.set_forkserver_preload(list(SHARED))
    forkserver.ensure_running()


@contextlib.contextmanager
def child(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path
) -> Iterator[ForkServerProcess]:
    """Start a process in its own group, and end it with everything that it started."""
    process = _context.Process(
        target=_become, args=(module, list(arguments), dict(environment), str(log))
    )
    process.start()
    known = psutil.Process(process.pid)
    started.append(known)
    try:
        yield process
    finally:
        _end(process)
        started.remove(known)


def _become(module: str, arguments: list[str], environment: dict[str, str], log: str) -> None:
    os.setsid()
    set_start_method("fork", force=True)  # the default in a process that was not forked
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Path(log).open("wb") as out:
        for stream in (1, 2):
            os.dup2(out.fileno(), stream)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end(process: ForkServerProcess) -> None:
    _signal(process, signal.SIGTERM)
    process.join(END_SECONDS)
    _signal(process, signal.SIGKILL)
    process.join(END_SECONDS)


def _signal(process: ForkServerProcess, number: int) -> None:
    """Send a signal to the process and to its group, either of which may have ended already."""
    if process.pid is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
