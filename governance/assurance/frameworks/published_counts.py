"""Numbers of ids in the publications, entered by hand to detect a wrong catalogue."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

LEVELS = {
    "nist-ai-rmf-1.0": {1: ("Functions", 4), 2: ("Categories", 19), 3: ("Subcategories", 72)},
    "nist-ai-600-1": {1: ("Risks", 12), 2: ("Actions", 212)},
    "owasp-llm-2025": {1: ("Risks", 10)},
    "owasp-llm-2026": {1: ("Risks", 10)},
    "soc2-tsc-2017": {1: ("Categories", 20), 2: ("Criteria", 61)},
}
GROUPS = {
    "nist-ai-rmf-1.0": {"GOVERN": 19, "MAP": 18, "MEASURE": 22, "MANAGE": 13},
    "soc2-tsc-2017": {
        "CC1": 5,
        "CC2": 3,
        "CC3": 4,
        "CC4": 2,
        "CC5": 3,
        "CC6": 8,
        "CC7": 5,
        "CC8": 1,
        "CC9": 2,
        "A1": 3,
        "C1": 2,
        "PI1": 5,
        "P1": 1,
        "P2": 1,
        "P3": 2,
        "P4": 3,
        "P5": 2,
        "P6": 7,
        "P7": 1,
        "P8": 1,
    },
}


class CountedRequirement(Protocol):
    """A requirement of a built-in or an installed catalogue."""

    @property
    def ref(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def depth(self) -> int: ...
    @property
    def assessable(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class PublishedCount:
    what: str
    pinned: int
    installed: int

    @property
    def agrees(self) -> bool:
        return self.pinned == self.installed


def counts(key: str, requirements: Sequence[CountedRequirement]) -> list[PublishedCount]:
    """Compare published with installed counts. `requirements` must be in the publisher's order."""
    depths = Counter(each.depth for each in requirements)
    per_group, titles = _per_group(requirements)
    levels = [
        PublishedCount(name, pinned, depths[depth])
        for depth, (name, pinned) in LEVELS.get(key, {}).items()
    ]
    groups = GROUPS.get(key, {})
    return levels + [
        PublishedCount(_named(group, titles), pinned, per_group[group])
        for group, pinned in groups.items()
    ]


def _per_group(requirements: Sequence[CountedRequirement]) -> tuple[Counter[str], dict[str, str]]:
    found: Counter[str] = Counter()
    titles: dict[str, str] = {}
    group = ""
    for each in requirements:
        if each.depth == 1:
            group, titles[each.ref] = each.ref, each.title
        found[group] += each.assessable
    return found, titles


def _named(ref: str, titles: dict[str, str]) -> str:
    title = titles.get(ref, "")
    return ref if title.upper() == ref else f"{ref} {title}"
