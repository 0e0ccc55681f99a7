"""The only place the application reads the time, so that tests and the demo can choose it.

now(), today()       the instant and the day that it is for Meridian
frozen(at)           everything inside happens at that instant
running()            the clock that runs on, also inside `frozen`
machine_now()        the machine's own clock, which files and other programs use
from_machine(at)     an instant of the machine's clock, such as that of a file, on ours
to_machine(at)       the other way round, for what waits by the machine's clock

`TODAY=2027-01-01 make demo` moves it for a process and all that it starts, by an offset that is
computed once, so that time goes on. That is for the demo and for tests: unless GOVERNANCE_DEMO is
1, as in production, neither TODAY nor the offset is read.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta

MOVED_BY = "GOVERNANCE_CLOCK_MOVED_BY"  # Seconds; passed to child processes.
FIRST_YEAR, LAST_YEAR = 2020, 2099
_frozen: ContextVar[datetime | None] = ContextVar("frozen", default=None)


def _length(environ: Mapping[str, str]) -> timedelta:
    if environ.get("GOVERNANCE_DEMO") != "1":
        return timedelta()
    return timedelta(seconds=int(environ.get(MOVED_BY) or "0"))


_moved_by = _length(os.environ)


def now() -> datetime:
    """Return the current instant in UTC with microseconds, or the frozen one."""
    return _frozen.get() or running()


def today() -> date:
    return now().date()


def running() -> datetime:
    """Return the current instant outside any `frozen`."""
    return machine_now() + _moved_by


def machine_now() -> datetime:
    """Return the machine's time, which nothing moves."""
    return datetime.now(UTC)


def from_machine(at: datetime) -> datetime:
    """Return the instant on our clock for one that the machine's clock gave."""
    return at + _moved_by


def to_machine(at: datetime) -> datetime:
    """Return the instant on the machine's clock for one of ours."""
    return at - _moved_by


def moved_by() -> timedelta:
    """Return how far our clock is ahead of the machine's."""
    return _moved_by


@contextmanager
def frozen(at: datetime) -> Generator[datetime]:
    """Run everything inside at `at`: the demo's eighteen months, and tests."""
    token = _frozen.set(at)
    try:
        yield at
    finally:
        _frozen.reset(token)


def move_as_told(environ: Mapping[str, str] = os.environ) -> None:
    """Move the clock to TODAY, for this process of the demo or of tests and for its children.

    A day keeps the time of day that it is; a day with a time, such as 2027-01-01T00:10, begins then,
    in UTC. Does nothing without TODAY, and in a child of a process that has moved it. GOVERNANCE_DEMO
    must be 1 already. Raises SystemExit for anything else than a day from 2020 on.
    """
    global _moved_by  # noqa: PLW0603 - one clock for the process
    if not os.environ.get(MOVED_BY) and (told := environ.get("TODAY", "").strip()):
        os.environ[MOVED_BY] = str(_seconds_to(told, machine_now().replace(microsecond=0)))
    _moved_by = _length(os.environ)


def _seconds_to(told: str, present: datetime) -> int:
    try:
        day, _, hour = told.partition("T")
        at = time.fromisoformat(hour) if hour else present.time()
        start = datetime.combine(date.fromisoformat(day), at.replace(tzinfo=UTC))
    except ValueError:
        start = None
    if start is None or not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise SystemExit(
            f"TODAY is {told!r}. Give a day from {FIRST_YEAR} to {LAST_YEAR} such as 2027-01-01, or"
            " a day and a time in UTC such as 2027-01-01T23:50."
        )
    return int((start - present).total_seconds())
