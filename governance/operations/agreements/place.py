"""One set of handlers for two kinds of readers: a tenant's people and operators.

A handler takes a Place and the values of its address, and returns a Drawn page or a response. The
operator's pages of agreements and statements name the tenant in the address. The handler then runs
in that tenant as the operator, and the page is rendered in the operator's layout.
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
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.web.responses import SAFE, ResponseReturnValue


@dataclass(frozen=True, slots=True)
class Place:
    """The tenant whose rows a page shows, and its reader. `slug` is None on a tenant's pages.

    `feature` is "agreements" or "statements": it names the endpoints.
    """

    feature: str
    slug: str | None
    tenant: str
    is_vendor_place: bool = False  # The operator's own tenant, where vendor agreements are

    @property
    def is_operator(self) -> bool:
        return self.slug is not None

    def to(self, endpoint: str, **values: Any) -> str:
        """Return the address of a page of this feature for the same reader."""
        if self.slug is None:
            return url_for(f"{self.feature}.{endpoint}", **values)
        return url_for(f"operator_{self.feature}.{endpoint}", slug=self.slug, **values)

    @property
    def index(self) -> str:
        """Return the address of the list."""
        return url_for(f"operator_{self.feature}.index") if self.is_operator else self.to("index")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page to render: its template and context."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


type Handler = Callable[..., Drawn | ResponseReturnValue]


def for_tenant(feature: str, handler: Handler) -> Callable[..., ResponseReturnValue]:
    """Wrap a handler as the view of a tenant's own pages."""

    @wraps(handler)
    def view(**values: Any) -> ResponseReturnValue:
        place = Place(feature, None, current.actor().tenant_name)
        return finish(handler(place, **values), place)

    return view


def for_operator(feature: str, handler: Handler) -> Callable[..., ResponseReturnValue]:
    """Wrap a handler as an operator's view, which acts in the tenant that the address names."""

    @wraps(handler)
    def view(slug: str, **values: Any) -> ResponseReturnValue:
        tenant = tenant_of(slug)
        place = place_of(tenant, feature)
        with inside(tenant, read_only=request.method in SAFE):
            found = handler(place, **values)
        return finish(found, place)

    return view


def place_of(tenant: Tenant, feature: str) -> Place:
    """Return the place of an operator's page."""
    return Place(feature, tenant.slug, tenant.name, tenant.kind == "operator")


def tenant_of(slug: str) -> Tenant:
    """Return the tenant with that slug. Raises NotFound for an unknown one."""
    tenant = tenant_by_slug(slug)
    if tenant is None:
        raise NotFound("This tenant doesn't exist.")
    return tenant


@contextmanager
def inside(tenant: Tenant, *, read_only: bool) -> Generator[None]:
    """Run in a tenant as the acting operator; rows stay readable afterwards."""
    with (
        current.acting_as(visiting(current.actor(), tenant)),
        transaction(read_only=read_only) as work,
    ):
        yield
        session().flush()
        work.expunge_all()


def finish(found: Drawn | ResponseReturnValue, place: Place) -> ResponseReturnValue:
    if not isinstance(found, Drawn):
        return found
    return page(found.template, status=found.status, **found.context, place=place, to=place.to)
