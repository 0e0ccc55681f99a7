"""How an entry's target is named, and which page shows it, from the features' manifests.

label(type, id, *texts) -> str      "EV-0412 Penetration test", or else "control 0199a3f2"
page_label(endpoint) -> str         "Audit log", or else "Audit log: checkpoints"
page(type, id) -> (endpoint, values) | None
is_within(scope, type, id)          whether an auditor of that scope is sure to have that page
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from governance.kernel.manifest import EntryLink, Manifest, installed, links
from governance.kernel.visibility_scope import Scope

UNKNOWN = EntryLink(no_page="no feature of this version has such rows")
MAX_LABEL_LENGTH = 80


def _link(kind: str) -> EntryLink:
    return links().get(kind, UNKNOWN)


def noun(kind: str) -> str:
    """Return what people call rows of this class: EvidenceVersion → "evidence version"."""
    return _link(kind).noun or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()


def label(kind: str, identity: UUID, *descriptions: Mapping[str, Any]) -> str:
    """Name a target by the first description that has a name, or else by its class and id.

    A description is what `described` returns for an entry on that target.
    """
    name = next((found for each in descriptions if (found := _name(each))), "")
    if name:
        return name if len(name) <= MAX_LABEL_LENGTH else f"{name[: MAX_LABEL_LENGTH - 1]}…"
    return noun(kind) if _link(kind).single else f"{noun(kind)} {identity.hex[:8]}"


def _name(description: Mapping[str, Any]) -> str:
    """Return reference and title, as far as they are recorded; of a page view, the page."""
    if viewed := _first(description, "page"):
        return page_label(viewed)
    short = _first(description, "ref", "key", "slug", "requirement")
    long = _first(description, "title", "name")
    if not short and isinstance(description.get("number"), int):
        short = f"version {description['number']}"
    return f"{short} {long}".strip()


def _first(description: Mapping[str, Any], *names: str) -> str:
    values = (description.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value), "")


def page_label(endpoint: str) -> str:
    """Name a page by its navigation item, or else by its feature's and the page's own name."""
    feature, _, name = endpoint.partition(".")
    home = next((each for each in installed() if _serves(each, feature)), None)
    items = home.navigation if home else ()
    if direct := next((item.label for item in items if item.endpoint == endpoint), ""):
        return direct
    first = items[0].label if items else _spaced(home.name if home else feature).capitalize()
    return f"{first}: {_spaced(feature if name == 'index' else name)}"


def _serves(manifest: Manifest, feature: str) -> bool:
    return any(blueprint.name == feature for blueprint in manifest.routes)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def described(changes: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry records of its target: its facts, and the new values of changed
    fields.
    """
    now = {
        name: pair[1]
        for name, pair in changes.items()
        if isinstance(pair, list) and len(pair) == 2  # noqa: PLR2004
    }
    return {**now, **facts}


def page(kind: str, identity: UUID) -> tuple[str, dict[str, str]] | None:
    """Return (endpoint, values) of the target's page; None where it has none."""
    found = _link(kind)
    return (
        (found.endpoint, {found.argument: str(identity)} if found.argument else {})
        if found.endpoint
        else None
    )


def is_within(scope: Scope, kind: str, identity: UUID) -> bool:
    """Whether an auditor of this scope is sure to have the target's page.

    False for classes where the scope alone can't decide it; their lists lead to the pages.
    """
    within = _link(kind).within
    return within is None or within(scope, identity)
