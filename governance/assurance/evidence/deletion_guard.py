"""What keeps files from being deleted, and whether Meridian itself uploads evidence.

    blocked_versions(ids)                            versions that can't be deleted now, and why
                                                     (features above answer, evidence/ports.py)
    filed_by_meridian(), is_filed_by_meridian()      a population, an access review, a drill

What Meridian files is not a change that a person makes to evidence, even if they pressed a
button.
"""

from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from governance.assurance.evidence.ports import versions_to_keep
from governance.kernel.data.db import session

_filed_by_meridian: ContextVar[bool] = ContextVar("filing", default=False)


def blocked_versions(versions: Collection[UUID]) -> Mapping[UUID, str]:
    """Return the versions that can't be deleted now, each with the reason as a sentence."""
    return versions_to_keep()(versions) if versions else {}


@contextmanager
def filed_by_meridian() -> Generator[None]:
    """Mark what is written inside as filed by Meridian; earlier changes are flushed first."""
    session().flush()
    token = _filed_by_meridian.set(True)
    try:
        yield
        session().flush()
    finally:
        _filed_by_meridian.reset(token)


def is_filed_by_meridian() -> bool:
    return _filed_by_meridian.get()
