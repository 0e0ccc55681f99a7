"""Links between requirements of two frameworks, direct or derived from two links (NIST IR 8477).

    direct(key, ref)    links that Meridian judged, seen from this end
    derived(key, ref)   links over two steps, as strong as the weaker one
    across(key)         every direct link of a framework, in the publisher's order

Pure functions. Derived links never make a requirement met. Read backward, "A subset_of B" becomes
"B superset_of A".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from governance.assurance.frameworks import catalogue
from governance.assurance.frameworks.catalogue import Relationship

type End = tuple[str, str]

TURNED: Mapping[Relationship, Relationship] = MappingProxyType(
    {
        "equal": "equal",
        "intersects": "intersects",
        "subset_of": "superset_of",
        "superset_of": "subset_of",
    }
)
WORDS: Mapping[Relationship, str] = MappingProxyType(
    {
        "equal": "equal",
        "intersects": "intersects",
        "subset_of": "subset of",
        "superset_of": "superset of",
    }
)


@dataclass(frozen=True, slots=True)
class CrosswalkLink:
    """A link from `ref` of framework `key` to `to_ref` of `to_key`. `strength` is from 1 to 10.

    A derived link names the requirement in the middle in `via`, and has the rationales of both
    steps.
    """

    key: str
    ref: str
    relationship: Relationship
    to_key: str
    to_ref: str
    strength: int
    rationale: str
    origin: str = "ours"
    via: End | None = None

    @property
    def derived(self) -> bool:
        return self.via is not None

    @property
    def word(self) -> str:
        return WORDS[self.relationship]


def direct(key: str, ref: str) -> Sequence[CrosswalkLink]:
    return _all().get((key, ref), ())


def derived(key: str, ref: str) -> list[CrosswalkLink]:
    """Return links over two steps, one per target by its strongest path.

    Targets that have a direct link are left out.
    """
    first = direct(key, ref)
    known = {(each.to_key, each.to_ref) for each in first}
    best: dict[End, CrosswalkLink] = {}
    for one in first:
        for two in direct(one.to_key, one.to_ref):
            goal = (two.to_key, two.to_ref)
            if two.to_key == key or goal in known:
                continue
            found = _joined(one, two)
            if goal not in best or best[goal].strength < found.strength:
                best[goal] = found
    return sorted(best.values(), key=_order)


def across(key: str) -> list[CrosswalkLink]:
    refs = [each.ref for each in catalogue.load_catalogue(key).requirements]
    return [link for ref in refs for link in direct(key, ref)]


def _joined(one: CrosswalkLink, two: CrosswalkLink) -> CrosswalkLink:
    return CrosswalkLink(
        one.key,
        one.ref,
        weakest(one.relationship, two.relationship),
        two.to_key,
        two.to_ref,
        min(one.strength, two.strength),
        f"{one.rationale} {two.rationale}",
        one.origin,
        (two.key, two.ref),
    )


def weakest(one: Relationship, two: Relationship) -> Relationship:
    """Combine two relationships in a row.

    The result is "intersects" unless one is "equal" or both are the same.
    """
    if one == "equal":
        return two
    return one if two in {"equal", one} else "intersects"


@cache
def _all() -> Mapping[End, tuple[CrosswalkLink, ...]]:
    found: dict[End, list[CrosswalkLink]] = {}
    for each in catalogue.crosswalk():
        forward = CrosswalkLink(
            each.framework,
            each.ref,
            each.relationship,
            each.to_framework,
            each.to_ref,
            each.strength,
            each.rationale,
        )
        backward = CrosswalkLink(
            each.to_framework,
            each.to_ref,
            TURNED[each.relationship],
            each.framework,
            each.ref,
            each.strength,
            each.rationale,
        )
        for link in (forward, backward):
            found.setdefault((link.key, link.ref), []).append(link)
    return MappingProxyType({end: tuple(sorted(links, key=_order)) for end, links in found.items()})


def _order(link: CrosswalkLink) -> tuple[int, object]:
    return catalogue.KEYS.index(link.to_key), catalogue.sort_key(link.to_ref)
