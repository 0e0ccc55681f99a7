"""The list of a framework's links to others: columns, filters and sorting."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from governance.assurance.frameworks import queries
from governance.assurance.frameworks.crosswalk_queries import RelatedRequirement
from governance.kernel.pages.list_pages import Column, Filter, ListPage, ListRequest, arrange, keep

LINKS = ListPage(
    name="links",
    title="Crosswalk",
    noun="link",
    endpoint="frameworks.crosswalk",
    place=("key",),
    find_place=queries.framework,
    search="Search links",
    sort="ref",
    columns=(
        Column("ref", "Requirement", sort=True),
        Column("relationship", "Relationship", sort=True, optional=True),
        Column("other", "Other framework", sort=True),
        Column("strength", "Strength", sort=True, optional=True, numeric=True),
        Column("rationale", "Reason", optional=True),
        Column("origin", "Origin", optional=True),
    ),
    filters=(
        Filter("to", "To"),
        Filter("kind", "Links", any="assessed by Meridian", unknown="ignored"),
    ),
)
LINK_FILTERS: Mapping[str, Callable[[RelatedRequirement, str], bool]] = {
    "to": lambda link, value: link.to_key == value,
    "kind": lambda link, value: link.derived == (value == "derived"),
}


def filter_links(
    links: Sequence[RelatedRequirement], list_request: ListRequest
) -> list[RelatedRequirement]:
    """Filter and sort links. `links` must be in the publisher's order, which sorts column `ref`."""
    place = {id(link): n for n, link in enumerate(links)}
    keys: Mapping[str, Callable[[RelatedRequirement], Any]] = {
        "ref": lambda link: place[id(link)],
        "relationship": lambda link: link.word,
        "other": lambda link: (link.to_framework, link.to_ref),
        "strength": lambda link: link.strength,
    }
    return arrange(keep(links, list_request, LINK_FILTERS, _text), list_request, keys)


def _text(link: RelatedRequirement) -> str:
    return f"{link.ref} {link.title} {link.to_ref} {link.to_title} {link.rationale}"
