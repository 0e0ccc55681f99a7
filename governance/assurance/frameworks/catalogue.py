"""Built-in frameworks: publishers' ids with Meridian's titles, and links between them.

    Catalogue, CatalogueRequirement         an immutable edition of a framework, a node of its tree
    load_catalogue(key), all_catalogues()   read from catalogues/*.yaml, checked and cached
    catalogue_digest(catalogue)             SHA-256 of its canonical JSON (RFC 8785)
    catalogue_structure(catalogue)          SHA-256 of its ids alone, which identify the edition
    normalise_ref(text)                     "GV-1.1", "nist:ai:govern:1.1" … to "GOVERN 1.1"
    sort_key(ref)                           numeric order of ids: 2.10 comes after 2.9
    CatalogueLink, crosswalk()              typed links between requirements of two frameworks

Pure functions. An id is text, never a number: "2.1" and "2.10" are different requirements.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import rfc8785

from governance.kernel.files import yaml_files

FOLDER = Path(__file__).parent / "catalogues"
KEYS = ("nist-ai-rmf-1.0", "nist-ai-600-1", "owasp-llm-2026", "owasp-llm-2025", "soc2-tsc-2017")
AI_RMF, AI_600_1 = KEYS[:2]

type Relationship = Literal["equal", "subset_of", "superset_of", "intersects"]
RELATIONSHIPS: tuple[Relationship, ...] = ("equal", "subset_of", "superset_of", "intersects")
STRENGTHS = range(1, 11)

FUNCTIONS = {"GV": "GOVERN", "MP": "MAP", "MS": "MEASURE", "MG": "MANAGE"}
PREFIX = re.compile(
    r"(?:nist[ :_-]*)?(?:ai[ :_-]+)?(?:rmf[ :_-]*)?(?:1\.0[ :_-]+)?", re.IGNORECASE | re.ASCII
)
AI_RMF_REF = re.compile(
    r"(GOVERN|MAP|MEASURE|MANAGE|GV|MP|MS|MG)(?:[ :_-]*([1-9])(?:\.(0|[1-9][0-9]?))?)?",
    re.IGNORECASE | re.ASCII,
)
DASHES = str.maketrans(
    dict.fromkeys("\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}", "-") | {"\N{NO-BREAK SPACE}": " "}
)
PARTS = re.compile(r"([0-9]+)")
BETWEEN = " .:_-"
ORDER = ("GOVERN", "MAP", "MEASURE", "MANAGE", "GV", "MP", "MS", "MG", "CC", "A", "C", "PI", "P")


@dataclass(frozen=True, slots=True)
class CatalogueRequirement:
    """A node of a framework's tree.

    `ref` is the publisher's id. `title` and `outcome` are Meridian's words. `depth` counts from 1
    at the top, `position` from 1 in the publisher's order.
    """

    ref: str
    title: str
    parent: str | None
    depth: int
    position: int
    assessable: bool
    outcome: str = ""
    subcategory: str | None = None  # AI 600-1: the AI RMF subcategory of the action.
    risks: tuple[int, ...] = ()  # AI 600-1: the numbers of the action's risks, 1-12.
    coso: int | None = None  # SOC 2: the number of the COSO principle, 1-17.


@dataclass(frozen=True, slots=True)
class Catalogue:
    """An edition of a framework, with requirements in the publisher's order.

    A new edition is a separate catalogue.
    """

    key: str
    version: str
    title: str
    edition: str
    publisher: str
    licence: str
    source: str
    requirements: tuple[CatalogueRequirement, ...]

    @property
    def refs(self) -> frozenset[str]:
        """All ids of the framework."""
        return frozenset(each.ref for each in self.requirements)

    @property
    def assessable(self) -> tuple[CatalogueRequirement, ...]:
        """Requirements that an assessment concludes on: no functions, categories or groups."""
        return tuple(each for each in self.requirements if each.assessable)


@dataclass(frozen=True, slots=True)
class CatalogueLink:
    """A link from `ref` to `to_ref`. With "subset_of", `to_ref` covers more.

    `strength` is Meridian's judgment from 1 (they touch) to 10 (they require the same).
    """

    framework: str
    ref: str
    relationship: Relationship
    to_framework: str
    to_ref: str
    strength: int
    rationale: str


# --- Reading --------------------------------------------------------------------------------------


def all_catalogues() -> tuple[Catalogue, ...]:
    """Return every built-in framework, in display order."""
    return tuple(load_catalogue(key) for key in KEYS)


@cache
def load_catalogue(key: str) -> Catalogue:
    """Read a built-in framework.

    Raises KeyError for an unknown key, and ValueError or TypeError for a wrong file.
    """
    if key not in KEYS:
        known = ", ".join(KEYS)
        raise KeyError(f"There is no built-in framework “{key}”. Choose one of: {known}.")
    raw = _yaml(f"{key}.yaml")
    requirements = tuple(_read_requirements(raw.pop("requirements")))
    found = Catalogue(requirements=requirements, **raw)
    if found.key != key:
        message = f"{key}.yaml says that it is “{found.key}”."
        raise ValueError(message)
    return found


def catalogue_digest(catalogue: Catalogue) -> str:
    """Return the SHA-256, in hex, of the canonical JSON of the whole catalogue."""
    return hashlib.sha256(rfc8785.dumps(asdict(catalogue))).hexdigest()


def catalogue_structure(catalogue: Catalogue) -> str:
    """Return the SHA-256, in hex, of the canonical JSON of the key, edition and tree of ids.

    Corrected words don't change it. A changed id, parent or order makes a different edition.
    """
    nodes = [[each.ref, each.parent, each.assessable] for each in catalogue.requirements]
    content = [catalogue.key, catalogue.edition, nodes]
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


@cache
def crosswalk() -> tuple[CatalogueLink, ...]:
    """Read Meridian's links between frameworks, each once, in one direction.

    Raises ValueError for an unknown id, a duplicate or a wrong link.
    """
    links = tuple(_links(_yaml("crosswalk.yaml")["links"]))
    seen: set[tuple[str, str, str, str]] = set()
    for each in links:
        ends = (each.framework, each.ref, each.to_framework, each.to_ref)
        if problem := _link_problem(each) or ("is there twice" if ends in seen else None):
            message = f"crosswalk.yaml: {each.ref} to {each.to_ref} {problem}."
            raise ValueError(message)
        seen.add(ends)
    return links


# --- Ids ------------------------------------------------------------------------------------------


def normalise_ref(text: str) -> str | None:
    """Return the official spelling of an AI RMF function, category or subcategory id, or None.

    Accepts the spellings of AI 600-1 (GV-1.1), the Playbook (GOVERN-1), SCF (GOVERN 1.0 is the
    category), community OSCAL (ai-rmf-gv-1.1) and promptfoo (nist:ai:measure:1.1). It doesn't check
    whether the framework has the id.
    """
    plain = text.translate(DASHES).strip()
    found = AI_RMF_REF.fullmatch(plain) or AI_RMF_REF.fullmatch(PREFIX.sub("", plain, count=1))
    if found is None:
        return None
    name, category, subcategory = found.groups()
    name = FUNCTIONS.get(name.upper(), name.upper())
    if category is None:
        return name
    return (
        f"{name} {category}" if subcategory in {None, "0"} else f"{name} {category}.{subcategory}"
    )


def sort_key(ref: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that orders refs by the publisher's groups, then by number.

    For example, GOVERN is before MAP, CC before A, and 2.9 before 2.10.
    """
    return tuple(_rank(part) for text in PARTS.split(ref) if (part := text.strip(BETWEEN)))


def _rank(part: str) -> tuple[int, int, str]:
    if part.isascii() and part.isdigit():
        return (0, int(part), "")
    return (1, ORDER.index(part), "") if part in ORDER else (2, 0, part)


# --- Files ----------------------------------------------------------------------------------------


def _yaml(name: str) -> dict[str, Any]:
    content = yaml_files.read(FOLDER / name)
    if not isinstance(content, dict):
        message = f"{name} holds no mapping."
        raise TypeError(message)
    return content


def _read_requirements(nodes: Iterable[Mapping[str, Any]]) -> Iterator[CatalogueRequirement]:
    depths: dict[str, int] = {}
    risks: dict[int, str] = {}
    for position, node in enumerate(nodes, 1):
        ref, parent = node["ref"], node.get("parent")
        if (
            ref in depths
            or node["order"] != position
            or (parent is not None and parent not in depths)
        ):
            message = f"{ref} is at position {position}: its id, order or parent is wrong."
            raise ValueError(message)
        depths[ref] = 1 if parent is None else depths[parent] + 1
        title = node["title"] if "title" in node else _action(ref, node, risks)
        risks[position] = title
        yield CatalogueRequirement(
            ref,
            title,
            parent,
            depths[ref],
            position,
            node["assessable"],
            node.get("outcome", ""),
            node.get("subcategory"),
            tuple(node.get("risks", ())),
            node.get("coso"),
        )


def _action(ref: str, node: Mapping[str, Any], risks: Mapping[int, str]) -> str:
    """Return a title for an AI 600-1 action: its number, subcategory and risks.

    Meridian doesn't include the publisher's text.
    """
    named = ", ".join(_uncapped(risks[number]) for number in node["risks"])
    return f"Action {int(ref.rsplit('-', 1)[1])} for {node['subcategory']} ({named})"


def _uncapped(title: str) -> str:
    return title[:1].lower() + title[1:]


def _links(groups: Iterable[Mapping[str, Any]]) -> Iterator[CatalogueLink]:
    for group in groups:
        for ref, rows in group["from"].items():
            for relationship, to_ref, strength, rationale in rows:
                yield CatalogueLink(
                    group["framework"], ref, relationship, group["to"], to_ref, strength, rationale
                )


def _link_problem(link: CatalogueLink) -> str | None:
    if (
        link.ref not in load_catalogue(link.framework).refs
        or link.to_ref not in load_catalogue(link.to_framework).refs
    ):
        return "names an id that its framework does not have"
    if link.relationship not in RELATIONSHIPS or link.strength not in STRENGTHS:
        return f"has relationship “{link.relationship}” and strength {link.strength}"
    return None if link.rationale else "has no rationale"
