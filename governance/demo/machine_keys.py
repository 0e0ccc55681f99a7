"""The API keys of the demo's machines, created by the tenant's admin on a day of the story."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from governance.foundation.api_keys import actions, queries
from governance.kernel.data.db import transaction
from governance.operations.systems import queries as systems

READS, ASKS = ("audit:read",), ("flags:read",)
MEASURES, UPLOADS = ("indicators:write",), ("evidence:write",)
USES, EVALUATES = ("usage:write",), ("evaluations:write",)
PROVISIONS = ("scim",)


@dataclass(frozen=True, slots=True)
class KeySpec:
    """An API key, under its name in credentials.json."""

    name: str
    scopes: tuple[str, ...]
    system: str | None = None


WANTED = {
    "acme": (
        KeySpec("mirror", READS),
        KeySpec("claims-triage", ASKS, "claims-triage"),
        KeySpec("support-assistant", ASKS, "support-assistant"),
        KeySpec("ad-copywriter", ASKS, "ad-copywriter"),
        KeySpec("all-systems", ASKS),
        KeySpec("metrics", MEASURES),
        KeySpec("pipeline", UPLOADS),
        KeySpec("usage-acme", USES),
        KeySpec("evaluations", EVALUATES),
        KeySpec("directory", PROVISIONS),
    ),
    "globex": (
        KeySpec("mirror-globex", READS),
        KeySpec("router", ASKS, "router"),
        KeySpec("usage-globex", USES),
    ),
}


def make(slug: str) -> dict[str, dict[str, Any]]:
    """Create the tenant's keys in the current transaction, as the acting admin.

    Live keys with the same names are revoked first.
    """
    for lost in (
        row for row in queries.live() if row.name in {_named(wanted) for wanted in WANTED[slug]}
    ):
        actions.revoke(lost)
    return {wanted.name: _made(slug, wanted) for wanted in WANTED[slug]}


def _made(slug: str, wanted: KeySpec) -> dict[str, Any]:
    system = systems.system(wanted.system).id if wanted.system else None
    _, key = actions.create(_named(wanted), wanted.scopes, system_id=system)
    return {"tenant": slug, "key": key, "scopes": list(wanted.scopes)}


def key_id(name: str) -> UUID:
    """Return the id of the acting tenant's key of that name. Opens a transaction."""
    with transaction(read_only=True):
        return next(row.id for row in queries.live() if row.name == f"demo {name}")


def _named(wanted: KeySpec) -> str:
    return f"demo {wanted.name}"
