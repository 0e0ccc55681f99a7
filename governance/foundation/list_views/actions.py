"""Save, rename and delete views of lists, each for one person."""

import re
from collections.abc import Collection
from urllib.parse import parse_qsl

from sqlalchemy import delete, select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.list_views.models import ListView
from governance.foundation.list_views.queries import (
    MAX_VIEWS,
    MAX_VIEWS_OF_ALL_LISTS,
    count_own_views,
    own_views,
)
from governance.foundation.privacy.events import PersonErased
from governance.kernel import current
from governance.kernel.db import lock_tenant, session
from governance.kernel.errors import Invalid

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
MAX_NAME_LENGTH = 60


def save_view(location: str, name: str, query: str) -> ListView:
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
    return view


def rename_view(view: ListView, name: str) -> None:
    lock_tenant(f"list views {current.person_id()}")
    name = " ".join(name.split())
    if name == view.name:
        return
    _check_name(name, own_views(view.location))
    record(RENAMED, view, before={"name": view.name}, after={"name": name}, location=view.location)
    view.name = name


def delete_view(view: ListView) -> None:
    record(DELETED, view, location=view.location, name=view.name)
    session().delete(view)


def delete_views_of(erased: PersonErased) -> None:
    """Delete every view of an erased person, whose names may reveal them, and others' views that
    search for them.

    A query is percent-encoded, so the redaction of all text doesn't find names in it. The erasure
    has its own entry.
    """
    theirs = delete(ListView).where(ListView.person_id == erased.person_id)
    every = session().execute(
        select(ListView.id, ListView.query).where(ListView.person_id != erased.person_id)
    )
    naming = [row.id for row in every if any(_names(row.query, word) for word in erased.words)]
    for gone in (theirs, delete(ListView).where(ListView.id.in_(naming))):
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
