"""Reads of saved views, the acting person's own and shared ones, and how they open lists."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from governance.foundation.list_views.models import ListDefault, ListView
from governance.foundation.list_views.ports import recall
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.errors import NotFound
from governance.kernel.pages.list_pages import ListPreference

MAX_VIEWS = 20  # Per person and list.
MAX_SHARED_VIEWS = 40  # Per list, of everyone.
MAX_VIEWS_OF_ALL_LISTS = 200  # Per person.


def own_views(location: str) -> Sequence[ListView]:
    """Return the acting person's views of a list, by name, in one statement."""
    query = select(ListView).where(
        ListView.person_id == current.person_id(), ListView.location == location
    )
    return session().scalars(query.order_by(ListView.name).limit(MAX_VIEWS)).all()


def shown_views(location: str) -> Sequence[ListView]:
    """Return the views of a list that the acting person can open: their own, then shared ones."""
    query = select(ListView).where(_may_open(), ListView.location == location)
    order = (ListView.person_id != current.person_id(), ListView.name, ListView.id)
    return session().scalars(query.order_by(*order).limit(MAX_VIEWS + MAX_SHARED_VIEWS)).all()


def _may_open() -> ColumnElement[bool]:
    """Return the condition that the acting person can open a view.

    An auditor sees no shared view: its name and its search are the tenant's own words.
    """
    is_shared = false() if current.actor().role == "auditor" else ListView.shared
    return or_(ListView.person_id == current.person_id(), is_shared)


def count_shared_views(location: str) -> int:
    query = select(func.count()).select_from(ListView)
    query = query.where(ListView.location == location, ListView.shared)
    return session().scalar(query) or 0


def count_own_views() -> int:
    """Count the acting person's views of all lists."""
    query = (
        select(func.count()).select_from(ListView).where(ListView.person_id == current.person_id())
    )
    return session().scalar(query) or 0


def own_view(list_view_id: UUID, *, lock: bool = False) -> ListView:
    return _view(list_view_id, ListView.person_id == current.person_id(), lock=lock)


def shown_view(list_view_id: UUID, *, lock: bool = False) -> ListView:
    """Return a view that the acting person can open. Raises NotFound."""
    return _view(list_view_id, _may_open(), lock=lock)


def _view(list_view_id: UUID, condition: ColumnElement[bool], *, lock: bool) -> ListView:
    query = select(ListView).where(ListView.id == list_view_id, condition)
    found = session().scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound("This saved view doesn't exist.")
    return found


def own_default(location: str) -> ListDefault | None:
    query = select(ListDefault).where(
        ListDefault.person_id == current.person_id(), ListDefault.location == location
    )
    return session().scalars(query.with_for_update()).one_or_none()


def preference_of(name: str, location: str) -> ListPreference:
    """Return how the acting person opens a list.

    One statement reads all their lists; it is cached until something changes.
    """
    person_id = current.actor().person_id
    if person_id is None:
        return ListPreference()
    found: Mapping[str, ListPreference] = recall()(("lists as opened", person_id), _preferences)
    columns, opened = found.get(name), found.get(location)
    return ListPreference(
        columns.columns if columns else "",
        opened.view if opened else "",
        opened.query if opened else "",
    )


def _preferences() -> Mapping[str, ListPreference]:
    query = (
        select(ListDefault.location, ListDefault.columns, ListView.name, ListView.query)
        .outerjoin(ListView, and_(ListView.id == ListDefault.view_id, _may_open()))
        .where(ListDefault.person_id == current.person_id())
        .prefix_with("/* the shell: how lists open */")
    )
    return {
        row.location: ListPreference(row.columns, row.name or "", row.query or "")
        for row in session().execute(query)
    }
