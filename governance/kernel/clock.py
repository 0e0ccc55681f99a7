"""The only place the application reads the time, so that tests and the demo can choose it."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime

_frozen: ContextVar[datetime | None] = ContextVar("frozen", default=None)


def now() -> datetime:
    """The current instant, UTC, microseconds; or the frozen one."""
    return _frozen.get() or datetime.now(UTC)


def today() -> date:
    return now().date()


@contextmanager
def frozen(at: datetime) -> Generator[datetime]:
    """Everything inside happens at `at`: the demo's eighteen months, and tests."""
    token = _frozen.set(at)
    try:
        yield at
    finally:
        _frozen.reset(token)
