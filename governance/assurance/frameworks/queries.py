"""Frameworks and their requirements, as values that a process remembers; a tenant's adoptions,
imports and texts.

    frameworks(), framework(key), framework_by_id(id)         in the version that this tenant works
    with
    requirements(framework_id), requirement(key, ref), …      in the publisher's order
    cards()                                                   the list of frameworks with what the
    tenant did
    official_texts(requirement_id), held(framework_id)        imported words, apart from ours
    imports(framework_id), adoption(framework_id)
    crosswalk(ref, key), crosswalk_of(key)                    typed links, derived ones marked

A catalogue's rows never change, so they are read once per process: a page pays nothing for them. To
an auditor other frameworks than those of his engagement are not there; of a crosswalk he sees what
links his to each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from governance.assurance.frameworks import crosswalks
from governance.assurance.frameworks.catalogue import KEYS
from governance.assurance.frameworks.models import (
    Adoption,
    Framework,
    FrameworkImport,
    OfficialText,
    Requirement,
)
from governance.foundation.people.queries import names
from governance.kernel import current
from governance.kernel.db import session
from governance.kernel.errors import NotFound
from governance.kernel.visibility_scope import limits

KIND_ORDER = (
    "statement",
    "overview",
    "playbook wording",
    "about",
    "actions",
    "documentation",
    "references",
)


@dataclass(frozen=True, slots=True)
class FrameworkView:
    """One installed version. `digest` is SHA-256 in hex over everything that it says."""

    id: UUID
    key: str
    title: str
    version: str
    edition: str
    publisher: str
    licence: str
    source: str
    digest: str
    superseded_at: datetime | None
    installed_at: datetime

    @property
    def name(self) -> str:
        """Title with its version, as it is written everywhere."""
        return f"{self.title} {self.version}"


@dataclass(frozen=True, slots=True)
class RequirementView:
    """A node of the tree; `depth` and `position` count from 1."""

    id: UUID
    framework_id: UUID
    ref: str
    title: str
    outcome: str
    parent_ref: str | None
    depth: int
    position: int
    assessable: bool

    @property
    def path(self) -> str:
        """The ref as it stands in an address: MEASURE-2.7."""
        return path_of(self.ref)


@dataclass(frozen=True, slots=True)
class Card:
    """A framework and what the tenant did with it.

    `nodes` counts every id, `assessable` those that are concluded on.
    """

    framework: FrameworkView
    nodes: int
    assessable: int
    adopted_at: datetime | None
    imports: int
    texts: int
    worded: int


@dataclass(frozen=True, slots=True)
class TextView:
    """A publisher's words on one requirement, and the file that they came from."""

    kind: str
    text: str
    format: str
    edition: str
    sha256: str
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class ImportView:
    id: UUID
    format: str
    filename: str
    edition: str
    sha256: str
    imported_at: datetime
    imported_by: str
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RelatedRequirement:
    """A typed link from `ref` to a requirement of another framework, for display."""

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


def path_of(ref: str) -> str:
    return ref.replace(" ", "-")


# ---- catalogues, remembered


@dataclass(frozen=True, slots=True)
class Requirements:
    """Every requirement of every installed framework, indexed by what it is looked up by."""

    trees: Mapping[
        UUID, tuple[RequirementView, ...]
    ]  # framework id → nodes in the publisher's order
    by_id: Mapping[UUID, RequirementView]
    by_path: Mapping[tuple[UUID, str], RequirementView]  # (framework id, path)


def indexed(nodes: Iterable[RequirementView]) -> Requirements:
    """Index the nodes, which come in the publisher's order within each framework."""
    trees: dict[UUID, list[RequirementView]] = {}
    by_id: dict[UUID, RequirementView] = {}
    for node in nodes:
        trees.setdefault(node.framework_id, []).append(node)
        by_id[node.id] = node
    by_path = {(node.framework_id, node.path): node for node in by_id.values()}
    return Requirements({key: tuple(tree) for key, tree in trees.items()}, by_id, by_path)


@dataclass(slots=True)
class _Memory:
    frameworks: tuple[FrameworkView, ...] = ()
    requirements: Requirements | None = None


_memory = _Memory()


def forget() -> None:
    """For tests, which sync other catalogues; a running process learns of new ones when it starts
    again.
    """
    _memory.frameworks, _memory.requirements = (), None


def installed() -> tuple[FrameworkView, ...]:
    """Every version in the database, the superseded ones too, in the order in which frameworks are
    offered.
    """
    if not _memory.frameworks:
        rows = session().scalars(select(Framework).order_by(Framework.created_at))
        _memory.frameworks = tuple(sorted((_view(row) for row in rows), key=_offered))
    return _memory.frameworks


def _offered(each: FrameworkView) -> tuple[int, str]:
    return (KEYS.index(each.key) if each.key in KEYS else len(KEYS), each.key)


def _view(row: Framework) -> FrameworkView:
    return FrameworkView(
        row.id,
        row.key,
        row.title,
        row.version,
        row.edition,
        row.publisher,
        row.licence,
        row.source,
        row.digest,
        row.superseded_at,
        row.created_at,
    )


def frameworks() -> tuple[FrameworkView, ...]:
    """One version of each in scope: the adopted one, otherwise the newest.

    Asks the database only when there is a choice.
    """
    held = (
        limits() if current.actor_or_none() else None
    )  # nobody: a command that looks at the catalogues
    versions = [each for each in installed() if held is None or held.holds_framework(each.key)]
    by_key: dict[str, list[FrameworkView]] = {}
    for each in versions:
        by_key.setdefault(each.key, []).append(each)
    adopted = _adopted() if len(by_key) < len(versions) else frozenset()
    return tuple(_in_force(each, adopted) for each in by_key.values())


def choices() -> list[tuple[str, str]]:
    """(key, title) of each framework in scope, for a filter."""
    return [(each.key, each.title) for each in frameworks()]


def _in_force(versions: Sequence[FrameworkView], adopted: frozenset[UUID]) -> FrameworkView:
    newest_first = sorted(
        versions, key=lambda v: (v.superseded_at is None, v.installed_at), reverse=True
    )
    return next((v for v in newest_first if v.id in adopted), newest_first[0])


def _adopted() -> frozenset[UUID]:
    return frozenset(session().scalars(select(Adoption.framework_id)))


def framework(key: str) -> FrameworkView:
    found = next((each for each in frameworks() if each.key == key), None)
    if found is None:
        raise NotFound("There is no such framework here.")
    return found


def framework_by_id(framework_id: UUID) -> FrameworkView:
    """Any version, superseded or not: assessments pin one."""
    found = next((each for each in installed() if each.id == framework_id), None)
    if found is None:
        raise NotFound("There is no such framework here.")
    return found


def requirements(framework_id: UUID) -> tuple[RequirementView, ...]:
    """All nodes of one version, in the publisher's order."""
    return _requirements().trees.get(framework_id, ())


def _requirements() -> Requirements:
    if _memory.requirements is None or not _memory.requirements.by_id:
        query = select(Requirement).order_by(Requirement.framework_id, Requirement.position)
        _memory.requirements = indexed(map(_node, session().scalars(query)))
    return _memory.requirements


def _node(row: Requirement) -> RequirementView:
    return RequirementView(
        row.id,
        row.framework_id,
        row.ref,
        row.title,
        row.outcome,
        row.parent_ref,
        row.depth,
        row.position,
        row.assessable,
    )


def requirement(key: str, ref: str) -> RequirementView:
    """`ref` as the publisher writes it or as it stands in an address."""
    found = _requirements().by_path.get((framework(key).id, path_of(ref)))
    if found is None:
        raise NotFound("There is no such requirement in this framework.")
    return found


def requirement_by_id(requirement_id: UUID) -> RequirementView:
    """Any requirement of any installed framework."""
    found = _requirements().by_id.get(requirement_id)
    if found is None:
        raise NotFound("There is no such requirement here.")
    return found


# ---- what the tenant did


def cards() -> list[Card]:
    """Each framework with its adoption, imports and texts, in one statement whatever their
    number.
    """
    done = _done()
    return [_card(each, done.get(each.id)) for each in frameworks()]


def _card(each: FrameworkView, done: Any) -> Card:
    nodes = requirements(each.id)
    assessable = sum(node.assessable for node in nodes)
    if done is None:
        return Card(each, len(nodes), assessable, None, 0, 0, 0)
    return Card(
        each, len(nodes), assessable, done.adopted_at, done.imports, done.texts, done.worded
    )


def _done() -> dict[UUID, Any]:
    f = Framework.id
    ours = (
        select(OfficialText)
        .join(Requirement, Requirement.id == OfficialText.requirement_id)
        .where(Requirement.framework_id == f)
    )
    query = select(
        f.label("id"),
        select(Adoption.created_at)
        .where(Adoption.framework_id == f)
        .scalar_subquery()
        .label("adopted_at"),
        select(func.count(FrameworkImport.id))
        .where(FrameworkImport.framework_id == f)
        .scalar_subquery()
        .label("imports"),
        ours.with_only_columns(func.count(OfficialText.id)).scalar_subquery().label("texts"),
        ours.with_only_columns(func.count(func.distinct(OfficialText.requirement_id)))
        .scalar_subquery()
        .label("worded"),
    )
    return {row.id: row for row in session().execute(query)}


def adoption(framework_id: UUID) -> Adoption | None:
    return (
        session()
        .scalars(select(Adoption).where(Adoption.framework_id == framework_id))
        .one_or_none()
    )


def held(framework_id: UUID) -> dict[tuple[str, str], str]:
    """Every official text that the tenant holds on this version, by (ref, kind)."""
    query = select(Requirement.ref, OfficialText.kind, OfficialText.text)
    query = query.join(Requirement, Requirement.id == OfficialText.requirement_id)
    rows = session().execute(query.where(Requirement.framework_id == framework_id))
    return {(row.ref, row.kind): row.text for row in rows}


def official_texts(requirement_id: UUID) -> list[TextView]:
    """What the publisher says on one requirement, as this tenant imported it; the statement
    first.
    """
    query = select(OfficialText, FrameworkImport).join(
        FrameworkImport,
        (FrameworkImport.id == OfficialText.import_id)
        & (FrameworkImport.tenant_id == OfficialText.tenant_id),
    )
    rows = session().execute(query.where(OfficialText.requirement_id == requirement_id)).all()
    found = [TextView(t.kind, t.text, i.format, i.edition, i.sha256, i.created_at) for t, i in rows]
    return sorted(
        found,
        key=lambda each: (
            KIND_ORDER.index(each.kind) if each.kind in KIND_ORDER else len(KIND_ORDER)
        ),
    )


def imports(framework_id: UUID) -> list[ImportView]:
    """The files that were brought in, newest first, in two statements."""
    query = select(FrameworkImport).where(FrameworkImport.framework_id == framework_id)
    rows = (
        session()
        .scalars(query.order_by(FrameworkImport.created_at.desc(), FrameworkImport.id.desc()))
        .all()
    )
    known = names(row.imported_by for row in rows)
    return [
        ImportView(
            row.id,
            row.format,
            row.filename,
            row.edition,
            row.sha256,
            row.created_at,
            known.get(row.imported_by, "a former member"),
            row.report,
        )
        for row in rows
    ]


# ---- crosswalk


def crosswalk(requirement_ref: str, key: str) -> list[RelatedRequirement]:
    """Links of one requirement to other frameworks: the judged ones, then those derived over two
    hops.
    """
    found = [*crosswalks.direct(key, requirement_ref), *crosswalks.derived(key, requirement_ref)]
    return _displayed(found)


def crosswalk_of(key: str) -> list[RelatedRequirement]:
    """Every judged link of a framework."""
    return _displayed(crosswalks.across(key))


def derived_of(key: str) -> list[RelatedRequirement]:
    """Every derived link of a framework."""
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
