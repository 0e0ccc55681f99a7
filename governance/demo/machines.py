"""The keys that the demo's machines hold: made on a day of the story by the tenant's admin, each shown once and kept by who got it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from governance.foundation.api_keys import actions, queries
from governance.kernel.db import transaction
from governance.operations.systems import queries as systems

READS, ASKS = ("audit:read",), ("flags:read",)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key by the name that credentials.json gives it."""

    name: str
    scopes: tuple[str, ...]
    system: str | None = None


WANTED = {
    "acme": (
        Wanted("mirror", READS), Wanted("claims-triage", ASKS, "claims-triage"), Wanted("support-assistant", ASKS, "support-assistant"),
        Wanted("ad-copywriter", ASKS, "ad-copywriter"), Wanted("all-systems", ASKS),
    ),
    "globex": (Wanted("mirror-globex", READS), Wanted("router", ASKS, "router")),
}  # fmt: skip


def make(slug: str) -> dict[str, dict[str, Any]]:
    """In the present transaction, by the acting admin. A key of that name that was lost is revoked first."""
    for lost in (row for row in queries.live() if row.name in {_named(wanted) for wanted in WANTED[slug]}):
        actions.revoke(lost)
    return {wanted.name: _made(slug, wanted) for wanted in WANTED[slug]}


def _made(slug: str, wanted: Wanted) -> dict[str, Any]:
    system = systems.system(wanted.system).id if wanted.system else None
    _, key = actions.make(_named(wanted), wanted.scopes, system_id=system)
    return {"tenant": slug, "key": key, "scopes": list(wanted.scopes)}


def key_id(name: str) -> UUID:
    """Of the acting tenant's key of that name; in a transaction of its own."""
    with transaction(read_only=True):
        return next(row.id for row in queries.live() if row.name == f"demo {name}")


def _named(wanted: Wanted) -> str:
    return f"demo {wanted.name}"
