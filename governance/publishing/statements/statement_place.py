"""One set of handlers for two readers of a statement: people of its tenant, and operators.

A handler runs in the tenant whose statement it is; an operator's page names the tenant in its
address (governance/operations/agreements/place.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import request, url_for

from governance.foundation.tenants.models import Tenant
from governance.kernel import current
from governance.kernel.pages import page
from governance.kernel.web import SAFE, ResponseReturnValue
from governance.operations.agreements.place import Drawn, inside, tenant_of

__all__ = [
    "Drawn",
    "Place",
    "finish",
    "for_operator",
    "for_tenant",
    "inside",
    "tenant_of",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Whose statements a page shows, and for which reader. `slug` is None on a tenant's own pages."""

    slug: str | None
    tenant: str

    @property
    def is_operator(self) -> bool:
        return self.slug is not None

    def to(self, endpoint: str, **values: Any) -> str:
        """The address of a page of this feature, for the same reader."""
        if self.slug is None:
            return url_for(f"statements.{endpoint}", **values)
        return url_for(f"operator_statements.{endpoint}", slug=self.slug, **values)

    @property
    def index(self) -> str:
        if self.is_operator:
            return url_for("operator_statements.operator_index")
        return url_for("statements.index")


type Handler = Callable[..., Drawn | ResponseReturnValue]


def for_tenant(handler: Handler) -> Callable[..., ResponseReturnValue]:
    """The view of a tenant's own pages."""

    @wraps(handler)
    def view(**values: Any) -> ResponseReturnValue:
        place = Place(None, current.actor().tenant_name)
        return finish(handler(place, **values), place)

    return view


def for_operator(handler: Handler) -> Callable[..., ResponseReturnValue]:
    """The view of the operator's pages, in the tenant that the address names."""

    @wraps(handler)
    def view(slug: str, **values: Any) -> ResponseReturnValue:
        tenant = tenant_of(slug)
        place = place_of(tenant)
        with inside(tenant, read_only=request.method in SAFE):
            found = handler(place, **values)
        return finish(found, place)

    return view


def place_of(tenant: Tenant) -> Place:
    return Place(tenant.slug, tenant.name)


def finish(found: Drawn | ResponseReturnValue, place: Place) -> ResponseReturnValue:
    if not isinstance(found, Drawn):
        return found
    return page(found.template, status=found.status, **found.context, place=place, to=place.to)
