"""Reads of the acting person's own saved views."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from governance.foundation.list_views.models import ListView
from governance.kernel import current
from governance.kernel.db import session
from governance.kernel.errors import NotFound

MAX_VIEWS = 20  # of one person on one list
MAX_VIEWS_OF_ALL_LISTS = 200  # of one person


def own_views(location: str) -> Sequence[ListView]:
    """Return the acting person's views of a list, by name, in one statement."""
    query = select(ListView).where(
        ListView.person_id == current.person_id(), ListView.location == location
    )
    return session().scalars(query.order_by(ListView.name).limit(MAX_VIEWS)).all()


def count_own_views() -> int:
    """Count the acting person's views of all lists."""
    query = (
        select(func.count()).select_from(ListView).where(ListView.person_id == current.person_id())
    )
    return session().scalar(query) or 0


def own_view(list_view_id: UUID, *, lock: bool = False) -> ListView:
    query = select(ListView).where(
        ListView.id == list_view_id, ListView.person_id == current.person_id()
    )
    found = session().scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound("This saved view doesn't exist.")
    return found
