"""The reader at a system's public address: anybody, acting as Meridian in its tenant.

    with reading(tenant, token) as system:    the AI system; NotFound if there is none

The response is the same for a tenant, a system and a card that don't exist.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from governance.foundation.tenants import queries as tenants
from governance.kernel import current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.errors import NotFound
from governance.operations.systems.models import AISystem
from governance.publishing.model_cards import queries

NOTHING_HERE = "There is nothing at this address."
MAX_TOKEN = 64


@contextmanager
def reading(tenant: str, token: str) -> Iterator[AISystem]:
    """Open a transaction in the tenant, for what the address may show."""
    with current.acting_as(_meridian(tenant)), transaction(read_only=True):
        found = queries.system_of_token(token) if len(token) <= MAX_TOKEN else None
        if found is None:
            raise NotFound(NOTHING_HERE)
        yield found


def _meridian(slug: str) -> Actor:
    with transaction(read_only=True):
        found = tenants.tenant_by_slug(slug)
        if found is None or found.kind == "operator":
            raise NotFound(NOTHING_HERE)
        return Actor(
            found.id,
            found.slug,
            found.name,
            None,
            "Meridian",
            "admin",
            kind="job",
            time_zone=found.time_zone,
        )
