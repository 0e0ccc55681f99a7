"""What readers of the log do: keep views of it for each other; and what is noted of the reading itself."""

from collections.abc import Mapping

from governance.audit.record import record
from governance.audit.registry import action
from governance.kernel import current
from governance.kernel.db import session
from governance.kernel.errors import Invalid
from governance.logbook import queries
from governance.logbook.models import SavedView
from governance.tenants.models import Tenant

VIEW_SAVED = action("audit.view.saved", "saved a view of the log", fields="filters", personal="name")
VIEW_REMOVED = action("audit.view.removed", "removed a saved view of the log", personal="name")
PAGE_VIEWED = action("tenant.page.viewed", "looked at a page", fields="page object")
LONGEST_NAME = 60


def save_view(name: str, filters: Mapping[str, str]) -> SavedView:
    """Keep these filters under a name. The same ones under the same name are there already: a double click saves one."""
    name = " ".join(name.split())
    held = queries.view_named(name)
    if held is not None and held.query == dict(filters):
        return held
    _may_be_saved(name, filters, held)
    made = SavedView(name=name, query=dict(filters), made_by=current.person_id())
    session().add(made)
    record(VIEW_SAVED, made, filters=sorted(filters), name=name)
    return made


def _may_be_saved(name: str, filters: Mapping[str, str], held: SavedView | None) -> None:
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"The name should have 1 to {LONGEST_NAME} characters.", field="name")
    if not filters:
        raise Invalid("There is no filter to save: the whole log needs no name.")
    if held is not None:
        raise Invalid(f"A view called “{name}” is there already, with other filters. Choose another name.", field="name")
    if len(queries.views()) >= queries.MOST_VIEWS:
        raise Invalid(f"There are {queries.MOST_VIEWS} saved views, as many as there can be. Remove one first.")


def remove_view(view: SavedView) -> None:
    record(VIEW_REMOVED, view, name=view.name)
    session().delete(view)


def note_view(page: str, what: str) -> None:
    """An auditor or an operator has looked at a page of the acting tenant; `what` is the object in its address, if any."""
    tenant = session().get(Tenant, current.actor().tenant_id)
    if tenant is None:
        raise RuntimeError("the acting tenant is always there")
    record(PAGE_VIEWED, tenant, page=page, object=what or None)
