"""The name of an entry's target and the page that shows it, from the features' manifests.

label(type, id, *texts) -> str      "EV-0412 Penetration test", or else "control 0199a3f2"
page_label(endpoint) -> str         "Audit log", or else "Audit log: checkpoints"
page(type, id) -> (endpoint, values) | None
address(type, id) -> str | None     of that page, where the reader has it
is_within(scope, type, id)          whether an auditor of that scope is sure to have that page
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import current_app, url_for

from governance.kernel.manifest import EntryLink, Manifest, installed, links
from governance.kernel.safety.access import allowed
from governance.kernel.safety.visibility_scope import Scope, limits

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
    name = next((found for each in descriptions if (found := _name(kind, each))), "")
    if name:
        return name if len(name) <= MAX_LABEL_LENGTH else f"{name[: MAX_LABEL_LENGTH - 1]}…"
    return noun(kind) if _link(kind).single else f"{noun(kind)} {identity.hex[:8]}"


def _name(kind: str, description: Mapping[str, Any]) -> str:
    """Return reference and title, as far as they are recorded; of a page view, the page."""
    if viewed := _first(description, "page"):
        return page_label(viewed)
    short = _first(description, "ref", "key", "slug", "requirement")
    long = _first(description, "title", "name")
    if not short and isinstance(number := description.get("number"), int):
        words = "version " if noun(kind).endswith("version") else f"{noun(kind)} "
        short = f"{_link(kind).prefix or words}{number}"
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
    """Return what an entry records of its target: facts, and the new values of changed fields."""
    now = {
        name: pair[1]
        for name, pair in changes.items()
        if isinstance(pair, list) and len(pair) == 2  # noqa: PLR2004
    }
    return {**now, **facts}


def page(kind: str, identity: UUID) -> tuple[str, dict[str, str]] | None:
    """Return (endpoint, values) of the target's page; None if it has none."""
    found = _link(kind)
    return (
        (found.endpoint, {found.argument: str(identity)} if found.argument else {})
        if found.endpoint
        else None
    )


def is_within(scope: Scope, kind: str, identity: UUID) -> bool:
    """Return whether an auditor of this scope is sure to have the target's page.

    False for classes where the scope alone can't decide it; their lists lead to the pages.
    """
    within = _link(kind).within
    return within is None or within(scope, identity)


def address(kind: str, identity: UUID) -> str | None:
    """Return the address of the target's page, if the reader has one.

    An auditor reads the complete log, but only the pages of their scope.
    """
    found, scope = page(kind, identity), limits()
    if scope is not None and not is_within(scope, kind, identity):
        return None
    return address_if_allowed(found[0], **found[1]) if found else None


def address_if_allowed(endpoint: str, **values: Any) -> str | None:
    """Return the address of another feature's page, if it exists and the reader may open it."""
    view = current_app.view_functions.get(endpoint)
    return (
        url_for(endpoint, **values) if view is not None and allowed(vars(view)["needs"]) else None
    )
