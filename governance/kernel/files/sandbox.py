"""A child process with limits of memory, time and output, for hostile or huge inputs.

run(module, *arguments, limits=…, sent=b"")    run `python -m module`, read its answer within
                                               bounds, return how it ended
python -m governance.kernel.files.sandbox …    that child: it sets its limits, then becomes the
                                               module

The child gets none of our environment but what it needs to start, so it never sees our secrets. If
Linux lets a process have namespaces of its own, it has no network either. It has a process group of
its own, all of which is killed and always waited for.
"""

import contextlib
import os
import resource
import runpy
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

MIB = 1024 * 1024
ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "FONTCONFIG_PATH",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
)
ROOT = Path(__file__).resolve().parents[3]
TICK_SECONDS = 0.2
MAX_ERROR_BYTES = 4096  # The last bytes that the child writes to standard error.
READ_BYTES = 65536
MEMORY_SIGNS = ("MemoryError", "bad_alloc", "Cannot allocate memory")


class Ending(StrEnum):
    """The ways in which a child ends."""

    FINISHED = "finished"
    FAILED = "failed"  # By itself, with an exit code.
    TOO_LARGE = "too large"  # Memory or output.
    TOO_SLOW = "too slow"  # Processor time, or twice that by the wall clock.
    KILLED = "killed"  # By a signal that was not ours.
    CANCELLED = "cancelled"  # By the caller.


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a child.

    They are bytes of address space, seconds of the processor, bytes it prints, and bytes of a file
    it writes.
    """

    memory: int
    seconds: int
    output: int = MIB
    file_size: int = 1024 * MIB


@dataclass(frozen=True, slots=True)
class ChildOutcome:
    """The outcome of a child.

    It has how the child ended, what it printed, the end of its standard error, and its exit code
    (negative: a signal).
    """

    ending: Ending
    answer: bytes = b""
    errors: str = ""
    code: int | None = None

    @property
    def is_finished(self) -> bool:
        return self.ending is Ending.FINISHED

    @property
    def signal(self) -> str:
        """The name of the signal that ended it, as "SIGSEGV"."""
        try:
            return signal.Signals(-(self.code or 0)).name
        except ValueError:
            return "an unknown signal"


type Listener = Callable[[bytes], bytes | None]


def run(
    module: str,
    *arguments: str,
    limits: Limits,
    sent: bytes = b"",
    on_line: Listener | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> ChildOutcome:
    """Run a module of ours in a child, and return how it ended.

    `sent` is its standard input. With `on_line` each line that it prints is passed on as it comes,
    and what `on_line` returns, if anything, is sent; the input then stays open until something was
    sent. What `on_line` raises ends the child and reaches the caller. `is_cancelled` is called
    about five times a second.
    """
    limited = [str(limits.memory), str(limits.seconds), str(limits.file_size)]
    command = [
        sys.executable,
        "-m",
        "governance.kernel.files.sandbox",
        *limited,
        module,
        *arguments,
    ]
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        cwd=ROOT,
        env=environment,
        start_new_session=True,
    ) as child:
        try:
            watch = _Watch(child, limits, on_line, is_cancelled, pending=memoryview(sent))
            stopped = watch.follow()
            code = child.poll()  # Its exit code, if it has ended by itself.
        finally:
            _kill(child)
    errors = watch.errors.decode(errors="replace")
    return ChildOutcome(stopped or _ending(code, errors), bytes(watch.answer), errors, code)


def _kill(child: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # The group also has whatever the child has started.
    child.wait()


def _ending(code: int | None, errors: str) -> Ending:
    if code == 0:
        return Ending.FINISHED
    if any(sign in errors for sign in MEMORY_SIGNS):
        return Ending.TOO_LARGE
    if code == -signal.SIGXCPU:
        return Ending.TOO_SLOW
    return Ending.KILLED if code is None or code < 0 else Ending.FAILED


@dataclass(slots=True)
class _Watch:
    """Feeds one child and reads what it prints, until it has ended or has to be."""

    child: "subprocess.Popen[bytes]"
    limits: Limits
    on_line: Listener | None
    is_cancelled: Callable[[], bool] | None
    pending: memoryview
    answer: bytearray = field(default_factory=bytearray)
    errors: bytearray = field(default_factory=bytearray)
    deadline: float = 0.0
    _heard: int = 0  # Bytes of the answer that were passed to on_line.

    def follow(self) -> Ending | None:
        """Return why the child has to be ended; None if it closed its output or ended by itself."""
        self.deadline = time.monotonic() + 2 * self.limits.seconds
        with selectors.DefaultSelector() as waiting:
            for pipe in (self.child.stdout, self.child.stderr):
                if pipe is not None:
                    waiting.register(pipe, selectors.EVENT_READ)
            self._open_input(waiting)
            while waiting.get_map():
                if self.is_cancelled is not None and self.is_cancelled():
                    return Ending.CANCELLED
                ready = waiting.select(TICK_SECONDS)
                if not ready and self.child.poll() is not None:
                    break  # Something that the child has started keeps its output open.
                if (stopped := self._turn(waiting, ready)) is not None:
                    return stopped
        return self._last_moment()

    def _turn(
        self, waiting: selectors.BaseSelector, ready: "Sequence[tuple[selectors.SelectorKey, int]]"
    ) -> Ending | None:
        for key, _ in ready:
            if key.fileobj is self.child.stdin:
                self._feed(waiting)
            elif key.fileobj is self.child.stderr:
                self._read_errors(waiting)
            else:
                self._read_answer(waiting)
        if len(self.answer) > self.limits.output:
            return Ending.TOO_LARGE
        return Ending.TOO_SLOW if time.monotonic() > self.deadline else None

    def _last_moment(self) -> Ending | None:
        """Wait for a child that closed its output. Return TOO_SLOW if it doesn't exit."""
        try:
            self.child.wait(max(TICK_SECONDS, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return Ending.TOO_SLOW
        return None

    def _open_input(self, waiting: selectors.BaseSelector) -> None:
        if self.child.stdin is None:
            return
        os.set_blocking(self.child.stdin.fileno(), False)
        if self.pending:
            waiting.register(self.child.stdin, selectors.EVENT_WRITE)
        elif self.on_line is None:
            self.child.stdin.close()

    def _feed(self, waiting: selectors.BaseSelector) -> None:
        pipe = self.child.stdin
        if pipe is None:
            return
        try:
            self.pending = self.pending[pipe.write(self.pending[:READ_BYTES]) or 0 :]
        except BrokenPipeError:
            self.pending = memoryview(
                b""
            )  # It has read what it wants, or has ended: its outcome says which.
        if not self.pending:
            waiting.unregister(pipe)
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def _read_errors(self, waiting: selectors.BaseSelector) -> None:
        self.errors += self._read(waiting, self.child.stderr)
        del self.errors[:-MAX_ERROR_BYTES]

    def _read_answer(self, waiting: selectors.BaseSelector) -> None:
        self.answer += self._read(waiting, self.child.stdout)
        while self.on_line is not None and len(self.answer) <= self.limits.output:
            end = self.answer.find(b"\n", self._heard)
            if end < 0:
                return
            line, self._heard, began = (
                bytes(self.answer[self._heard : end]),
                end + 1,
                time.monotonic(),
            )
            reply = self.on_line(line)
            self.deadline += time.monotonic() - began  # The caller's own time is not the child's.
            if reply is not None and self.child.stdin is not None and not self.child.stdin.closed:
                self.pending = memoryview(reply)
                waiting.register(self.child.stdin, selectors.EVENT_WRITE)

    @staticmethod
    def _read(waiting: selectors.BaseSelector, pipe: object) -> bytes:
        # The file object is one of the child's pipes.
        piece = os.read(pipe.fileno(), READ_BYTES)  # type: ignore[attr-defined]
        if not piece:
            waiting.unregister(pipe)  # type: ignore[arg-type]  # as above
        return piece


def main(memory: str, seconds: str, file_size: str, module: str, *arguments: str) -> None:
    """Set the limits in the child, then run the module as if it had been started by itself."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_size), int(file_size)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    _leave_network()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _leave_network() -> None:
    """Keep nothing but an unconnected network, if the kernel allows it.

    Containers and other systems often don't, and then only the limits above apply.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)


if __name__ == "__main__":
    main(*sys.argv[1:])
