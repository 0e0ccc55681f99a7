"""Saved views of lists: a list's menu of them, and their page."""

from dataclasses import dataclass, replace
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
from governance.foundation.list_views.permissions import MANAGE, SHARE
from governance.foundation.people import permissions
from governance.foundation.people import queries as people
from governance.kernel import current
from governance.kernel.errors import NotFound
from governance.kernel.pages.list_pages import (
    Args,
    Choices,
    ListPage,
    ListRequest,
    declared,
    preference_of,
)
from governance.kernel.pages.rendering import page
from governance.kernel.safety import access
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, constraint, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("list_views", __name__)
constraint(
    "uq_list_views_tenant_id_person_id_location_name",
    "You have a view of that name. Choose another name.",
    field="name",
)


@dataclass(frozen=True, slots=True)
class ShownView:
    """A view in the menu of its list.

    It shows whose it is, and which parts of it the list no longer has.
    """

    view: ListView
    href: str
    is_current: bool
    by: str  # The person who shares it; empty for one's own.
    opens: bool  # True if the list opens with it.
    troubles: tuple[str, ...]


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
    """Show the page; for the menu of a list only its block `menu`."""
    return _index(_asked(location, request.args), ListViewNameForm())


@feature.app_template_global("column_choice")
def choice_of(asked: ListRequest) -> str:
    """Return where a list's columns are chosen, with what the list shows now."""
    parts = {**asked.carried, **asked.query}
    return url_for("list_views.choose_columns", location=asked.location, **parts)


@feature.post("/lists/<path:location>/columns", needs=permissions.OWN)
def choose_columns(location: str) -> ResponseReturnValue:
    """Remember the columns for this person and list, and show them."""
    asked = _asked(location, request.args)
    sent = [("columns", name) for name in request.form.getlist("columns")]
    chosen = asked.page.usual if "usual" in request.form else asked.page.shown(MultiDict(sent))
    named = replace(asked, columns=chosen).named_columns if chosen != asked.page.usual else ""
    actions.choose_columns(asked.page.name, named)
    return redirect(asked.address(columns=named or None), 303)


@feature.post("/lists/<path:location>/default", needs=permissions.OWN)
def open_with(location: str) -> ResponseReturnValue:
    """Open the list with one of its views; without one, as everyone does."""
    asked, view_id = _asked(location, MultiDict()), uuid_or_none(request.form.get("view", ""))
    view = queries.shown_view(view_id) if view_id else None
    if view is not None and view.location != asked.location:
        raise NotFound("This saved view doesn't exist.")
    actions.open_with(asked.location, view)
    flash(f"The list opens with “{view.name}”." if view else "The list opens without a view.")
    return redirect(address_of(asked), 303)


@feature.post("/list-views/<uuid:list_view_id>/share", needs=permissions.OWN)
def share(list_view_id: UUID) -> ResponseReturnValue:
    view = queries.own_view(list_view_id, lock=True)
    asked = _asked(view.location, MultiDict())
    actions.share_view(view)
    flash(f"View “{view.name}” is shared with everyone who may open the list.")
    return redirect(address_of(asked), 303)


@feature.post("/list-views/<uuid:list_view_id>/unshare", needs=permissions.OWN)
def stop_sharing(list_view_id: UUID) -> ResponseReturnValue:
    view = queries.shown_view(list_view_id, lock=True)
    asked = _asked(view.location, MultiDict())
    actions.stop_sharing(view)
    flash(f"View “{view.name}” is no longer shared.")
    return redirect(address_of(asked), 303)


def _index(
    asked: ListRequest,
    form: ListViewNameForm,
    *,
    renamed: ListView | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    found, known = queries.shown_views(asked.location), dict[str, Choices]()
    names = people.names(view.person_id for view in found if view.person_id != current.person_id())
    opened = preference_of()(asked.page.name, asked.location)
    views = [
        ShownView(
            view,
            _address(asked, view),
            is_current=view.query == _text(asked),
            by=names.get(view.person_id, ""),
            opens=(view.name, view.query) == (opened.view, opened.query),
            troubles=asked.page.troubles(view.query, known),
        )
        for view in found
    ]
    return page(
        "foundation/list_views/index.html",
        status=status,
        asked=asked,
        form=form,
        may_share=access.allowed(SHARE),
        may_manage=access.allowed(MANAGE),
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
        form,
        lambda: actions.save_view(
            asked.location, form.name.data or "", _text(asked), shared=bool(form.shared.data)
        ),
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
    view = queries.shown_view(list_view_id, lock=True)
    location, name = view.location, view.name
    actions.delete_view(view)
    flash(f"View “{name}” deleted.")
    return redirect(url_for("list_views.index", location=location), 303)
