"""Saved views of lists: the menu of a list, and the page that saves, renames and deletes."""

from typing import Any
from urllib.parse import unquote, urlencode
from uuid import UUID

from flask import current_app, flash, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BuildError

from governance.foundation.list_views import actions, queries
from governance.foundation.list_views.forms import NameForm
from governance.foundation.list_views.models import ListView
from governance.foundation.people import permissions
from governance.kernel import access
from governance.kernel.errors import NotFound
from governance.kernel.feature import Feature
from governance.kernel.forms import accepted, constraint
from governance.kernel.list_pages import Args, ListPage, ListRequest, declared
from governance.kernel.pages import page
from governance.kernel.web import ResponseReturnValue

feature = Feature("list_views", __name__)
constraint(
    "uq_list_views_tenant_id_person_id_location_name",
    "You have a view of that name. Choose another name.",
    field="name",
)


@feature.app_template_global("saved_views")
def address_of(asked: ListRequest) -> str:
    """Where a list's saved views are, with what it shows now."""
    return url_for("list_views.index", location=asked.location, **asked.query)


def _asked(location: str, args: Args) -> ListRequest:
    """The list at a location, as this query shows it; NotFound for no list, Forbidden for one the
    reader may not open.
    """
    name, *values = location.split("/")
    listed = declared.get(name)
    if listed is None or len(values) != len(listed.place):
        raise NotFound("There is no such list.")
    access.require(listed.needs)
    return listed.parse(args, place=_place(listed, values))


def _place(listed: ListPage, given: list[str]) -> dict[str, Any]:
    """The values of the list's route, as its page would get them; NotFound where there is no such
    page.
    """
    try:
        named: dict[str, Any] = dict(zip(listed.place, given, strict=True))
        path = url_for(listed.endpoint, **named)
        _, values = current_app.url_map.bind(request.host).match(unquote(path), method="GET")
        place = {name: values[name] for name in listed.place}
    except (BuildError, HTTPException, KeyError):
        raise NotFound("There is no such list.") from None
    if listed.find_place is not None:
        listed.find_place(**place)
    return place


@feature.get("/lists/<path:location>/views", needs=permissions.OWN)
def index(location: str) -> ResponseReturnValue:
    """The page; for the menu of a list only its block `menu`."""
    return _index(_asked(location, request.args), NameForm())


def _index(
    asked: ListRequest, form: NameForm, *, renamed: ListView | None = None, status: int = 200
) -> ResponseReturnValue:
    views = [
        (view, _address(asked, view), view.query == _text(asked))
        for view in queries.own_views(asked.location)
    ]
    return page(
        "foundation/list_views/index.html",
        status=status,
        asked=asked,
        form=form,
        renamed=renamed.id if renamed else None,
        views=views,
        save=url_for("list_views.save", location=asked.location, **asked.query),
        most=queries.MAX_VIEWS,
        fragments=("menu",),
    )


def _text(asked: ListRequest) -> str:
    return urlencode(asked.query)


def _address(asked: ListRequest, view: ListView) -> str:
    """What is saved was checked when it was saved; a filter that is gone since then is left out by
    the list itself.
    """
    return f"{url_for(asked.page.endpoint, **asked.place)}?{view.query}"


@feature.post("/lists/<path:location>/views", needs=permissions.OWN)
def save(location: str) -> ResponseReturnValue:
    asked, form = _asked(location, request.args), NameForm()
    if not accepted(
        form, lambda: actions.save_view(asked.location, form.name.data or "", _text(asked))
    ):
        return _index(asked, form, status=form.status)
    flash(f"Saved as “{' '.join((form.name.data or '').split())}”.")
    return redirect(asked.address(), 303)


@feature.post("/list-views/<uuid:list_view_id>/rename", needs=permissions.OWN)
def rename(list_view_id: UUID) -> ResponseReturnValue:
    view, form = queries.own_view(list_view_id, lock=True), NameForm()
    asked = _asked(view.location, MultiDict())
    if not accepted(form, lambda: actions.rename_view(view, form.name.data or "")):
        return _index(asked, form, renamed=view, status=form.status)
    flash(f"Renamed to “{view.name}”.")
    return redirect(address_of(asked), 303)


@feature.post("/list-views/<uuid:list_view_id>/delete", needs=permissions.OWN)
def delete(list_view_id: UUID) -> ResponseReturnValue:
    view = queries.own_view(list_view_id, lock=True)
    location, name = view.location, view.name
    actions.delete_view(view)
    flash(f"The view “{name}” was deleted.")
    return redirect(url_for("list_views.index", location=location), 303)
