"""Saved views of lists: a list's menu of them, and their page."""

from typing import Any
from urllib.parse import unquote, urlencode
from uuid import UUID

from flask import current_app, flash, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BuildError

from governance.foundation.list_views import actions, queries
from governance.foundation.list_views.forms import ListViewNameForm
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
    """Return the address of a list's saved views, with what the list shows now."""
    return url_for("list_views.index", location=asked.location, **asked.query)


def _asked(location: str, args: Args) -> ListRequest:
    """Return the list at a location as this query shows it.

    Raises NotFound for an unknown list, and Forbidden for one the reader may not open.
    """
    name, *values = location.split("/")
    listed = declared.get(name)
    if listed is None or len(values) != len(listed.place):
        raise NotFound("This list doesn't exist.")
    access.require(listed.needs)
    return listed.parse(args, place=_place(listed, values))


def _place(listed: ListPage, path_values: list[str]) -> dict[str, Any]:
    """Return the values of the list's route, as its page would get them; NotFound for no page."""
    try:
        arguments: dict[str, Any] = dict(zip(listed.place, path_values, strict=True))
        path = url_for(listed.endpoint, **arguments)
        _, values = current_app.url_map.bind(request.host).match(unquote(path), method="GET")
        place = {name: values[name] for name in listed.place}
    except (BuildError, HTTPException, KeyError):
        raise NotFound("This list doesn't exist.") from None
    if listed.find_place is not None:
        listed.find_place(**place)
    return place


@feature.get("/lists/<path:location>/views", needs=permissions.OWN)
def index(location: str) -> ResponseReturnValue:
    """The page; for the menu of a list only its block `menu`."""
    return _index(_asked(location, request.args), ListViewNameForm())


def _index(
    asked: ListRequest,
    form: ListViewNameForm,
    *,
    renamed: ListView | None = None,
    status: int = 200,
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
    """Return the address of a view. The list itself ignores a filter that no longer exists."""
    return f"{url_for(asked.page.endpoint, **asked.place)}?{view.query}"


@feature.post("/lists/<path:location>/views", needs=permissions.OWN)
def save(location: str) -> ResponseReturnValue:
    asked, form = _asked(location, request.args), ListViewNameForm()
    if not accepted(
        form, lambda: actions.save_view(asked.location, form.name.data or "", _text(asked))
    ):
        return _index(asked, form, status=form.status)
    flash(f"View “{' '.join((form.name.data or '').split())}” saved.")
    return redirect(asked.address(), 303)


@feature.post("/list-views/<uuid:list_view_id>/rename", needs=permissions.OWN)
def rename(list_view_id: UUID) -> ResponseReturnValue:
    view, form = queries.own_view(list_view_id, lock=True), ListViewNameForm()
    asked = _asked(view.location, MultiDict())
    if not accepted(form, lambda: actions.rename_view(view, form.name.data or "")):
        return _index(asked, form, renamed=view, status=form.status)
    flash(f"View renamed to “{view.name}”.")
    return redirect(address_of(asked), 303)


@feature.post("/list-views/<uuid:list_view_id>/delete", needs=permissions.OWN)
def delete(list_view_id: UUID) -> ResponseReturnValue:
    view = queries.own_view(list_view_id, lock=True)
    location, name = view.location, view.name
    actions.delete_view(view)
    flash(f"View “{name}” deleted.")
    return redirect(url_for("list_views.index", location=location), 303)
