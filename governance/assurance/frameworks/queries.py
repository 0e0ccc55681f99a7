"""Queries for frameworks and their requirements, cached in each process.

    frameworks(), framework(key)              the version that the tenant uses
    framework_by_id(id), installed()          any version
    requirements(id), requirement(key, ref)   in the publisher's order

Catalogue rows change only when another version is installed, so a process reads them once. Auditors
see only the frameworks of their engagements. import_queries.py has the tenant's imports, and
crosswalk_queries.py the links.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from governance.assurance.frameworks.catalogue import KEYS
from governance.assurance.frameworks.models import (
    Adoption,
    Framework,
    FrameworkRevision,
    Requirement,
)
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.errors import NotFound
from governance.kernel.safety.visibility_scope import limits


@dataclass(frozen=True, slots=True)
class FrameworkView:
    """An installed version of a framework. `digest` is the SHA-256 of its content, in hex."""

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
        """Title and version, as shown to people."""
        return f"{self.title} {self.version}"


@dataclass(frozen=True, slots=True)
class RequirementView:
    """A node of a framework's tree. `depth` and `position` count from 1."""

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
        """The ref as used in URLs, such as MEASURE-2.7."""
        return path_of(self.ref)


def path_of(ref: str) -> str:
    return ref.replace(" ", "-")


# ---- Cached catalogues


@dataclass(frozen=True, slots=True)
class RequirementIndex:
    """All requirements of the installed frameworks, indexed by framework, id and path."""

    trees: Mapping[
        UUID, tuple[RequirementView, ...]
    ]  # Framework id → nodes in the publisher's order.
    by_id: Mapping[UUID, RequirementView]
    by_path: Mapping[tuple[UUID, str], RequirementView]  # By (framework id, path).


def index_requirements(nodes: Iterable[RequirementView]) -> RequirementIndex:
    """Index the nodes. They must be in the publisher's order within each framework."""
    trees: dict[UUID, list[RequirementView]] = {}
    by_id: dict[UUID, RequirementView] = {}
    for node in nodes:
        trees.setdefault(node.framework_id, []).append(node)
        by_id[node.id] = node
    by_path = {(node.framework_id, node.path): node for node in by_id.values()}
    return RequirementIndex({key: tuple(tree) for key, tree in trees.items()}, by_id, by_path)


@dataclass(slots=True)
class _Memory:
    frameworks: tuple[FrameworkView, ...] = ()
    requirements: RequirementIndex | None = None


_memory = _Memory()


def forget_catalogues() -> None:
    """Clear the cache. For tests that install other catalogues."""
    _memory.frameworks, _memory.requirements = (), None


def installed() -> tuple[FrameworkView, ...]:
    """Return every installed version in display order, including superseded ones."""
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
    """Return one version of each framework in scope: the adopted one, or else the newest.

    Queries adoptions only if a framework has several versions.
    """
    auditor_scope = (
        limits() if current.actor_or_none() else None
    )  # Commands that read the catalogues have no actor.
    versions = [
        each
        for each in installed()
        if auditor_scope is None or auditor_scope.holds_framework(each.key)
    ]
    by_key: dict[str, list[FrameworkView]] = {}
    for each in versions:
        by_key.setdefault(each.key, []).append(each)
    adopted = _adopted() if len(by_key) < len(versions) else frozenset()
    return tuple(_current_version(each, adopted) for each in by_key.values())


def choices() -> list[tuple[str, str]]:
    """List (key, name) of each framework in scope."""
    return [(each.key, each.name) for each in frameworks()]


def _current_version(versions: Sequence[FrameworkView], adopted: frozenset[UUID]) -> FrameworkView:
    newest_first = sorted(
        versions, key=lambda v: (v.superseded_at is None, v.installed_at), reverse=True
    )
    return next((v for v in newest_first if v.id in adopted), newest_first[0])


def _adopted() -> frozenset[UUID]:
    return frozenset(session().scalars(select(Adoption.framework_id)))


def framework(key: str) -> FrameworkView:
    found = next((each for each in frameworks() if each.key == key), None)
    if found is None:
        raise NotFound("This framework doesn't exist, or you don't have access to it.")
    return found


def framework_by_id(framework_id: UUID) -> FrameworkView:
    """Return a version, even if superseded, since assessments pin one."""
    found = next((each for each in installed() if each.id == framework_id), None)
    if found is None:
        raise NotFound("This framework doesn't exist, or you don't have access to it.")
    return found


def newest_revision(framework_id: UUID) -> FrameworkRevision:
    """Return the latest revision of an edition's words."""
    query = select(FrameworkRevision).where(FrameworkRevision.framework_id == framework_id)
    return session().scalars(query.order_by(FrameworkRevision.number.desc()).limit(1)).one()


def requirements(framework_id: UUID) -> tuple[RequirementView, ...]:
    """Return all nodes of a version, in the publisher's order."""
    return _requirements().trees.get(framework_id, ())


def _requirements() -> RequirementIndex:
    if _memory.requirements is None or not _memory.requirements.by_id:
        query = select(Requirement).order_by(Requirement.framework_id, Requirement.position)
        _memory.requirements = index_requirements(map(_node, session().scalars(query)))
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
    """Return a requirement by its ref, as the publisher writes it or as used in URLs."""
    found = _requirements().by_path.get((framework(key).id, path_of(ref)))
    if found is None:
        raise NotFound("This requirement doesn't exist, or you don't have access to it.")
    return found


def requirement_by_id(requirement_id: UUID) -> RequirementView:
    """Return a requirement of any installed version. Raises NotFound."""
    found = _requirements().by_id.get(requirement_id)
    if found is None:
        raise NotFound("This requirement doesn't exist, or you don't have access to it.")
    return found
