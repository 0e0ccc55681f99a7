"""Queries for links between requirements of two frameworks, with titles for display."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance.assurance.frameworks import crosswalks
from governance.assurance.frameworks.queries import (
    FrameworkView,
    framework,
    frameworks,
    path_of,
    requirements,
)


@dataclass(frozen=True, slots=True)
class RelatedRequirement:
    """A typed link from `ref` to a requirement of another framework, for display.

    If it is derived, `via` names the requirement in the middle.
    """

    ref: str
    title: str
    relationship: str
    word: str
    to_key: str
    to_framework: str
    to_ref: str
    to_title: str
    strength: int
    rationale: str
    origin: str
    derived: bool
    via: str | None

    @property
    def to_path(self) -> str:
        return path_of(self.to_ref)


def crosswalk(requirement_ref: str, key: str) -> list[RelatedRequirement]:
    """List the links of a requirement to other frameworks: direct ones, then derived ones."""
    found = [*crosswalks.direct(key, requirement_ref), *crosswalks.derived(key, requirement_ref)]
    return _displayed(found)


def crosswalk_of(key: str) -> list[RelatedRequirement]:
    """List the direct links of a framework."""
    return _displayed(crosswalks.across(key))


def derived_of(key: str) -> list[RelatedRequirement]:
    """List the derived links of a framework."""
    refs = [each.ref for each in requirements(framework(key).id)]
    return _displayed([link for ref in refs for link in crosswalks.derived(key, ref)])


def _displayed(links: Sequence[crosswalks.CrosswalkLink]) -> list[RelatedRequirement]:
    shown = {each.key: each for each in frameworks()}
    titles = {
        key: {node.ref: node.title for node in requirements(each.id)} for key, each in shown.items()
    }
    return [
        _shown(link, shown, titles)
        for link in links
        if {link.to_key, *([link.via[0]] if link.via else [])} <= shown.keys()
    ]


def _shown(
    link: crosswalks.CrosswalkLink,
    shown: dict[str, FrameworkView],
    titles: dict[str, dict[str, str]],
) -> RelatedRequirement:
    via = f"{shown[link.via[0]].name}, {link.via[1]}" if link.via else None
    return RelatedRequirement(
        link.ref,
        titles[link.key].get(link.ref, ""),
        link.relationship,
        link.word,
        link.to_key,
        shown[link.to_key].name,
        link.to_ref,
        titles[link.to_key].get(link.to_ref, ""),
        link.strength,
        link.rationale,
        link.origin,
        link.derived,
        via,
    )
