"""Save, share, rename and delete views of lists, and choose how a list opens."""

import re
from collections.abc import Collection
from urllib.parse import parse_qsl
from uuid import UUID

from sqlalchemy import delete, select, update

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.list_views import permissions
from governance.foundation.list_views.models import ListDefault, ListView
from governance.foundation.list_views.queries import (
    MAX_SHARED_VIEWS,
    MAX_VIEWS,
    MAX_VIEWS_OF_ALL_LISTS,
    count_own_views,
    count_shared_views,
    own_default,
    own_views,
)
from governance.foundation.privacy.events import PersonErased
from governance.kernel import current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid
from governance.kernel.safety.access import require

SAVED = action(
    "list_view.saved",
    "saved a list view",
    target="ListView",
    activity="create",
    severity="informational",
    fields="location",
    personal="name",
)
RENAMED = action(
    "list_view.renamed",
    "renamed a saved list view",
    target="ListView",
    activity="update",
    severity="informational",
    fields="location",
    personal="name",
)
DELETED = action(
    "list_view.deleted",
    "deleted a saved list view",
    target="ListView",
    activity="delete",
    severity="informational",
    fields="location",
    personal="name",
)
SHARED = action(
    "list_view.shared",
    "shared a saved list view with everyone",
    target="ListView",
    activity="update",
    severity="informational",
    fields="location",
    personal="name",
)
SHARING_ENDED = action(
    "list_view.sharing_ended",
    "stopped sharing a saved list view",
    target="ListView",
    activity="update",
    severity="informational",
    fields="location",
    personal="name",
)
DEFAULT_CHANGED = action(
    "list_view.default_changed",
    "changed the view that a list opens with",
    target="ListDefault",
    activity="update",
    severity="informational",
    fields="location",
    personal="name",
)
COLUMNS_CHOSEN = action(
    "list_view.columns_chosen",
    "chose the columns of a list",
    target="ListDefault",
    activity="update",
    severity="informational",
    fields="location columns",
)
MAX_NAME_LENGTH = 60


def save_view(location: str, name: str, query: str, *, shared: bool = False) -> ListView:
    """Save this query of the list under a name. Saved twice, it is one view."""
    lock_tenant(f"list views {current.person_id()}")
    name, views = " ".join(name.split()), own_views(location)
    same = next((view for view in views if view.name == name), None)
    if same is not None and same.query == query:
        return same
    _check_name(name, views)
    if not query:
        raise Invalid("There is nothing to save yet. Search, filter, sort or choose columns first.")
    if len(views) >= MAX_VIEWS:
        raise Invalid(
            f"You have {MAX_VIEWS} views of this list, the most there can be. Delete one first."
        )
    if count_own_views() >= MAX_VIEWS_OF_ALL_LISTS:
        raise Invalid(
            f"You have {MAX_VIEWS_OF_ALL_LISTS} saved views, the most there can be. Delete one"
            " first."
        )
    view = ListView(person_id=current.person_id(), location=location, name=name, query=query)
    session().add(view)
    record(SAVED, view, location=location, name=name)
    if shared:
        share_view(view)
    return view


def share_view(view: ListView) -> None:
    """Show the view to everyone who may open the list, except auditors."""
    require(permissions.SHARE)
    if view.shared:
        return
    lock_tenant(f"shared views of {view.location}")
    if count_shared_views(view.location) >= MAX_SHARED_VIEWS:
        raise Invalid(
            f"{MAX_SHARED_VIEWS} views of this list are shared, the most there can be. Stop sharing"
            " one first."
        )
    view.shared = True
    record(SHARED, view, location=view.location, name=view.name)


def stop_sharing(view: ListView) -> None:
    """Leave the view to the person who saved it. Lists of others no longer open with it."""
    _check_may_change(view)
    if view.shared:
        view.shared = False
        record(SHARING_ENDED, view, location=view.location, name=view.name)


def _check_may_change(view: ListView) -> None:
    if view.person_id != current.person_id():
        require(permissions.MANAGE)


def open_with(location: str, view: ListView | None) -> None:
    """Open the list with this view from now on; None = with the usual one."""
    found = _default(location)
    view_id = view.id if view else None
    if found.view_id != view_id:
        found.view_id = view_id
        record(DEFAULT_CHANGED, found, location=location, name=view.name if view else None)
    _drop_if_empty(found)


def choose_columns(location: str, columns: str) -> None:
    """Show these columns of the list from now on; empty: the usual ones."""
    found = _default(location)
    if found.columns != columns:
        found.columns = columns
        record(COLUMNS_CHOSEN, found, location=location, columns=columns or None)
    _drop_if_empty(found)


def _default(location: str) -> ListDefault:
    lock_tenant(f"list views {current.person_id()}")
    found = own_default(location)
    if found is None:
        found = ListDefault(
            person_id=current.person_id(), location=location, columns="", view_id=None
        )
        session().add(found)
        session().flush()
    return found


def _drop_if_empty(found: ListDefault) -> None:
    if not found.columns and found.view_id is None:
        session().delete(found)


def rename_view(view: ListView, name: str) -> None:
    lock_tenant(f"list views {current.person_id()}")
    name = " ".join(name.split())
    if name == view.name:
        return
    _check_name(name, own_views(view.location))
    record(RENAMED, view, before={"name": view.name}, after={"name": name}, location=view.location)
    view.name = name


def delete_view(view: ListView) -> None:
    """Delete the view; lists that opened with it open as usual."""
    _check_may_change(view)
    record(DELETED, view, location=view.location, name=view.name)
    _open_no_list_with([view.id])
    session().delete(view)


def _open_no_list_with(view_ids: Collection[UUID]) -> None:
    d = ListDefault
    session().execute(update(d).where(d.view_id.in_(view_ids)).values(view_id=None))
    session().execute(delete(d).where(d.view_id.is_(None), d.columns == ""))


def delete_views_of(erased: PersonErased) -> None:
    """Delete every view of an erased person, and others' views that search for them.

    The names of their views may reveal them. A query is percent-encoded, so the redaction of all
    text doesn't find names in it. The erasure has its own entry.
    """
    session().execute(delete(ListDefault).where(ListDefault.person_id == erased.person_id))
    every = session().execute(select(ListView.id, ListView.query, ListView.person_id)).all()
    theirs = [row.id for row in every if row.person_id == erased.person_id]
    naming = [row.id for row in every if any(_names(row.query, word) for word in erased.words)]
    _open_no_list_with({*theirs, *naming})
    for ids in (theirs, naming):
        gone = delete(ListView).where(ListView.id.in_(ids))
        erased.removed["saved views"] = erased.removed.get("saved views", 0) + len(
            session().execute(gone.returning(ListView.id)).all()
        )


def _names(query: str, word: str) -> bool:
    values = [value for _, value in parse_qsl(query)]
    return any(
        re.search(rf"(?<!\w){re.escape(word)}(?!\w)", value, re.IGNORECASE) for value in values
    )


def _check_name(name: str, views: Collection[ListView]) -> None:
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise Invalid(f"Give the view a name of 1 to {MAX_NAME_LENGTH} characters.", field="name")
    if any(view.name == name for view in views):
        raise Invalid(
            f"You have a view called “{name}” on this list. Choose another name.", field="name"
        )
