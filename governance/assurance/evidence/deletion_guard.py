"""What features above say about evidence: which files have to stay, and when it is the console itself that files something.

    keep(keeper), kept(versions)            what must not be destroyed now, and why; until somebody says so, nothing
    by_the_console(), is_by_the_console()   a population, an access review, a drill

What the console files is no change that a person makes to evidence, although somebody has pressed a button.
"""

from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from governance.kernel.db import session

type Keeper = Callable[[Collection[UUID]], Mapping[UUID, str]]


def _nobody(_versions: Collection[UUID]) -> Mapping[UUID, str]:
    return {}


_keepers: list[Keeper] = [_nobody]
_filing: ContextVar[bool] = ContextVar("filing", default=False)


def keep(keeper: Keeper) -> None:
    """From now on `keeper` says which of some versions have to stay; each with a sentence for whoever wants to destroy it."""
    _keepers[:] = [keeper]


def kept(versions: Collection[UUID]) -> Mapping[UUID, str]:
    return _keepers[0](versions) if versions else {}


@contextmanager
def by_the_console() -> Generator[None]:
    """What is written within is the console's; what was changed before it is written first, as who changed it."""
    session().flush()
    token = _filing.set(True)
    try:
        yield
        session().flush()
    finally:
        _filing.reset(token)


def is_by_the_console() -> bool:
    return _filing.get()
