"""One set of handlers for two kinds of readers: people of a tenant, and operators.

A handler takes a Place and the values of its address, and returns a Drawn page or a response. The
operator's agreement pages name the tenant in the address; the handler then runs in that tenant, as
the operator. Its rows are read there, and the page is drawn in the operator's own frame.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from flask import request, url_for

from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import tenant_by_slug
from governance.foundation.tenants.system_actor import visiting
from governance.kernel import current
from governance.kernel.db import session, transaction
from governance.kernel.errors import NotFound
from governance.kernel.pages import page
from governance.kernel.web import SAFE, ResponseReturnValue


@dataclass(frozen=True, slots=True)
class Place:
    """Whose agreements a page shows, and from which side. `slug` is None on a tenant's pages."""

    slug: str | None
    tenant: str
    is_vendor_place: bool = False  # the operator's own tenant, where vendor agreements are

    @property
    def is_operator(self) -> bool:
        return self.slug is not None

    def to(self, endpoint: str, **values: Any) -> str:
        """The address of a page of this feature, for the same reader."""
        if self.slug is None:
            return url_for(f"agreements.{endpoint}", **values)
        return url_for(f"operator_agreements.{endpoint}", slug=self.slug, **values)

    @property
    def index(self) -> str:
        return url_for("operator_agreements.index") if self.is_operator else self.to("index")

    def crumbs(self, home: str) -> list[tuple[str, str | None]]:
        """The breadcrumb up to the list of agreements."""
        return [(current.actor().tenant_name, home), ("Agreements", self.index)]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page to be drawn: its template and context."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


type Handler = Callable[..., Drawn | ResponseReturnValue]


def for_tenant(handler: Handler) -> Callable[..., ResponseReturnValue]:
    """The view of a tenant's own pages."""

    @wraps(handler)
    def view(**values: Any) -> ResponseReturnValue:
        place = Place(None, current.actor().tenant_name)
        return _finish(handler(place, **values), place)

    return view


def for_operator(handler: Handler) -> Callable[..., ResponseReturnValue]:
    """The view of the operator's pages, which act in the tenant that the address names."""

    @wraps(handler)
    def view(slug: str, **values: Any) -> ResponseReturnValue:
        tenant = tenant_of(slug)
        place = Place(slug, tenant.name, tenant.kind == "operator")
        with inside(tenant, read_only=request.method in SAFE):
            found = handler(place, **values)
        return _finish(found, place)

    return view


def tenant_of(slug: str) -> Tenant:
    """Raises NotFound for an unknown slug."""
    tenant = tenant_by_slug(slug)
    if tenant is None:
        raise NotFound("This tenant doesn't exist.")
    return tenant


@contextmanager
def inside(tenant: Tenant, *, read_only: bool) -> Generator[None]:
    """Run in a tenant as the acting operator; what was read stays readable afterwards."""
    with (
        current.acting_as(visiting(current.actor(), tenant)),
        transaction(read_only=read_only) as work,
    ):
        yield
        session().flush()
        work.expunge_all()


def _finish(found: Drawn | ResponseReturnValue, place: Place) -> ResponseReturnValue:
    if not isinstance(found, Drawn):
        return found
    return page(found.template, status=found.status, **found.context, place=place, to=place.to)
