"""What features above say about evidence: which files have to stay, and when it is the console
itself that files something.

    kept(versions)                          what must not be deleted now, and why
                                            (evidence/ports.py: features above say so)
    by_the_console(), is_by_the_console()   a population, an access review, a drill

What the console files is no change that a person makes to evidence, although somebody has pressed a
button.
"""

from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from governance.assurance.evidence.ports import versions_to_keep
from governance.kernel.db import session

_filed_by_meridian: ContextVar[bool] = ContextVar("filing", default=False)


def blocked_versions(versions: Collection[UUID]) -> Mapping[UUID, str]:
    """Which of these versions must not be deleted now; each with a sentence for whoever wants to
    delete it.
    """
    return versions_to_keep()(versions) if versions else {}


@contextmanager
def filed_by_meridian() -> Generator[None]:
    """What is written within is the console's; what was changed before it is written first, as who
    changed it.
    """
    session().flush()
    token = _filed_by_meridian.set(True)
    try:
        yield
        session().flush()
    finally:
        _filed_by_meridian.reset(token)


def is_filed_by_meridian() -> bool:
    return _filed_by_meridian.get()
