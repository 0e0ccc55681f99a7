"""What an entry was done on, in words, and the page of that row: endpoints and values, from the
features' manifests.

words(type, id, *texts) -> str      "EV-0412 Penetration test", else "Control 0199a3f2"
page(type, id) -> (endpoint, values) | None
is_within(scope, type, id)         whether an auditor of that scope surely has that page
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from governance.kernel.manifest import EntryLink, links
from governance.kernel.visibility_scope import Scope

UNKNOWN = EntryLink(no_page="no feature of this version has such rows")
LONGEST = 80


def _link(kind: str) -> EntryLink:
    return links().get(kind, UNKNOWN)


def noun(kind: str) -> str:
    """EvidenceVersion → "evidence version"."""
    return _link(kind).noun or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()


def words(kind: str, identity: UUID, *told: Mapping[str, Any]) -> str:
    """By what the object calls itself in the entry, or in another one about it; otherwise by its
    type and id.
    """
    name = next((found for each in told if (found := _name(each))), "")
    if name:
        return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    return noun(kind) if _link(kind).single else f"{noun(kind)} {identity.hex[:8]}"


def _name(told: Mapping[str, Any]) -> str:
    """Its short name and its long one, as far as they are told; of a look at a page, which one."""
    if page_seen := _first(told, "page"):
        return f"{page_seen} {_first(told, 'object')}".strip()
    short = _first(told, "ref", "key", "slug", "requirement")
    long = _first(told, "title", "name")
    if not short and isinstance(told.get("number"), int):
        short = f"version {told['number']}"
    return f"{short} {long}".strip()


def _first(told: Mapping[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := told.get(name), str) and value), "")


def told(changes: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry tells of its object: its facts, and what changed fields are now."""
    now = {
        name: pair[1]
        for name, pair in changes.items()
        if isinstance(pair, list) and len(pair) == 2  # noqa: PLR2004
    }
    return {**now, **facts}


def page(kind: str, identity: UUID) -> tuple[str, dict[str, str]] | None:
    """(endpoint, values) of the object's page."""
    found = _link(kind)
    return (
        (found.endpoint, {found.argument: str(identity)} if found.argument else {})
        if found.endpoint
        else None
    )


def is_within(held: Scope, kind: str, identity: UUID) -> bool:
    """Of some classes the scope alone does not tell: their lists lead to them."""
    within = _link(kind).within
    return within is None or within(held, identity)
