"""Versions that can't be deleted now, and the mark for evidence that Meridian itself uploads.

    blocked_versions(ids)                          reasons, from features above (ports.py)
    filed_by_meridian(), is_filed_by_meridian()    uploads of populations, access reviews and drills

Uploads by Meridian don't count as changes by a person, even if a person triggered them.
"""

from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from governance.assurance.evidence.ports import versions_to_keep
from governance.kernel.data.db import session

_filed_by_meridian: ContextVar[bool] = ContextVar("filing", default=False)


def blocked_versions(versions: Collection[UUID]) -> Mapping[UUID, str]:
    """Return the reasons, as sentences, why some of these versions can't be deleted now."""
    return versions_to_keep()(versions) if versions else {}


@contextmanager
def filed_by_meridian() -> Generator[None]:
    """Mark changes inside the block as Meridian's. Flushes earlier changes first."""
    session().flush()
    token = _filed_by_meridian.set(True)
    try:
        yield
        session().flush()
    finally:
        _filed_by_meridian.reset(token)


def is_filed_by_meridian() -> bool:
    return _filed_by_meridian.get()
