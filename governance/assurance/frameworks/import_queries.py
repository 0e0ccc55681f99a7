"""Queries for a tenant's adoptions, imported files and official texts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from governance.assurance.frameworks.models import (
    Adoption,
    Framework,
    FrameworkImport,
    OfficialText,
    Requirement,
)
from governance.assurance.frameworks.queries import FrameworkView, frameworks, requirements
from governance.foundation.logbook.log_health import recall
from governance.foundation.people.aliases import who_did
from governance.foundation.people.queries import names
from governance.kernel.data.db import session
from governance.kernel.data.tenant_cache import BoundedCache

MAX_CACHED_TEXTS = 64  # Requirements per tenant.
KIND_ORDER = (
    "statement",
    "overview",
    "playbook wording",
    "about",
    "actions",
    "documentation",
    "references",
    "AI actors",
    "topics",
)


@dataclass(frozen=True, slots=True)
class FrameworkCard:
    """A framework with the tenant's adoption and imports.

    `nodes` is the number of all ids, `assessable` the number of requirements to assess, `worded`
    the number of requirements with an official text.
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
    """A publisher's text on a requirement, and the file it was imported from."""

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


def framework_cards() -> list[FrameworkCard]:
    """Return each framework with the tenant's adoption, imports and texts, in one statement."""
    done = _tenant_counts()
    return [_framework_card(each, done.get(each.id)) for each in frameworks()]


def _framework_card(each: FrameworkView, done: Any) -> FrameworkCard:
    nodes = requirements(each.id)
    assessable = sum(node.assessable for node in nodes)
    if done is None:
        return FrameworkCard(each, len(nodes), assessable, None, 0, 0, 0)
    return FrameworkCard(
        each, len(nodes), assessable, done.adopted_at, done.imports, done.texts, done.worded
    )


def _tenant_counts() -> dict[UUID, Any]:
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


def not_adopted(keys: Iterable[str]) -> list[str]:
    """Return the names of the frameworks among `keys` that the tenant hasn't adopted."""
    adopted = frozenset(session().scalars(select(Adoption.framework_id)))
    wanted = frozenset(keys)
    return [each.name for each in frameworks() if each.key in wanted and each.id not in adopted]


def adoption(framework_id: UUID) -> Adoption | None:
    return (
        session()
        .scalars(select(Adoption).where(Adoption.framework_id == framework_id))
        .one_or_none()
    )


def imported_texts(framework_id: UUID) -> dict[tuple[str, str], str]:
    """Return the tenant's official texts on this version, by (ref, kind)."""
    query = select(Requirement.ref, OfficialText.kind, OfficialText.text)
    query = query.join(Requirement, Requirement.id == OfficialText.requirement_id)
    rows = session().execute(query.where(Requirement.framework_id == framework_id))
    return {(row.ref, row.kind): row.text for row in rows}


def official_texts(requirement_id: UUID) -> list[TextView]:
    """Return the imported texts of a requirement, the statement first."""
    kept = recall("official texts", lambda: BoundedCache(MAX_CACHED_TEXTS))
    return list(kept.get(requirement_id, lambda: _read_official_texts(requirement_id)))


def _read_official_texts(requirement_id: UUID) -> list[TextView]:
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
    """Return the imported files, newest first, in two statements."""
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
            who_did(known, row.imported_by),
            row.report,
        )
        for row in rows
    ]
