"""Install the built-in catalogues as the database owner. The application may only read them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, create_engine, func, insert, select, text, update

from governance.assurance.frameworks.catalogue import (
    Catalogue,
    all_catalogues,
    catalogue_digest,
    catalogue_structure,
)
from governance.assurance.frameworks.models import Framework, FrameworkRevision, Requirement
from governance.kernel import clock
from governance.kernel.data.ids import uuid7

NAMESPACE = UUID("0f6b8c0e-5d0a-4a6e-9f43-6f0b0c7f8a11")
LOCK = "governance: frameworks"
FRAMEWORK_WORDS = ("title", "version", "publisher", "licence", "source")
REQUIREMENT_WORDS = ("title", "outcome")


def install_catalogues(url: str) -> list[str]:
    """Install new editions, mark the editions that they supersede, and correct words in place.

    Returns the keys of the new editions.

    Ids are derived from key, structure and ref, so they are the same in every installation, and a
    correction keeps them. Idempotent. A lock serializes concurrent runs.
    """
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": LOCK}
            )
            return [each.key for each in all_catalogues() if install(connection, each)]
    finally:
        engine.dispose()


def has_corrections(url: str) -> bool:
    """Check whether any installed edition was ever corrected."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            corrected = select(FrameworkRevision.id).where(FrameworkRevision.number > 1)
            return connection.scalar(select(corrected.exists())) or False
    finally:
        engine.dispose()


def install(connection: Connection, catalogue: Catalogue) -> bool:
    """Install an edition, or correct the words of the installed one. Return whether it is new."""
    structure = catalogue_structure(catalogue)
    query = select(Framework.id, Framework.digest, Framework.superseded_at)
    same_edition = (Framework.key == catalogue.key, Framework.structure == structure)
    known = connection.execute(query.where(*same_edition)).one_or_none()
    if known is None:
        framework_id = identifier(catalogue)
        connection.execute(insert(Framework), _framework_row(framework_id, catalogue))
        connection.execute(insert(Requirement), _requirement_rows(framework_id, catalogue))
        _add_revision(connection, framework_id, catalogue, [])
    else:
        framework_id = known.id
        if known.digest != catalogue_digest(catalogue):
            _correct(connection, framework_id, catalogue)
        if known.superseded_at is not None:
            back = update(Framework).where(Framework.id == framework_id)
            connection.execute(back.values(superseded_at=None))
    replaced = (Framework.key == catalogue.key, Framework.id != framework_id)
    connection.execute(
        update(Framework)
        .where(*replaced, Framework.superseded_at.is_(None))
        .values(superseded_at=clock.now())
    )
    return known is None


def identifier(catalogue: Catalogue) -> UUID:
    """Return the id of an edition, derived from its key and structure."""
    return uuid5(NAMESPACE, f"{catalogue.key}\0{catalogue_structure(catalogue)}")


def _correct(connection: Connection, framework_id: UUID, catalogue: Catalogue) -> None:
    """Replace words that differ, and add a revision that lists them. Ids don't change."""
    query = select(*(getattr(Framework, name) for name in FRAMEWORK_WORDS))
    installed = connection.execute(query.where(Framework.id == framework_id)).mappings().one()
    words = {name: getattr(catalogue, name) for name in FRAMEWORK_WORDS}
    changed = _changes("", installed, words)
    connection.execute(
        update(Framework)
        .where(Framework.id == framework_id)
        .values(**words, digest=catalogue_digest(catalogue))
    )
    nodes = select(Requirement.ref, Requirement.title, Requirement.outcome)
    rows = connection.execute(nodes.where(Requirement.framework_id == framework_id)).mappings()
    former = {each["ref"]: each for each in rows}
    for node in catalogue.requirements:
        texts = {name: getattr(node, name) for name in REQUIREMENT_WORDS}
        if found := _changes(node.ref, former[node.ref], texts):
            changed += found
            place = (Requirement.framework_id == framework_id, Requirement.ref == node.ref)
            connection.execute(update(Requirement).where(*place).values(**texts))
    _add_revision(connection, framework_id, catalogue, changed)


def _changes(ref: str, before: Mapping[Any, Any], after: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"ref": ref, "field": name, "before": before[name], "after": value}
        for name, value in after.items()
        if before[name] != value
    ]


def _add_revision(
    connection: Connection,
    framework_id: UUID,
    catalogue: Catalogue,
    changed: Sequence[Mapping[str, str]],
) -> None:
    newest = select(func.coalesce(func.max(FrameworkRevision.number), 0)).where(
        FrameworkRevision.framework_id == framework_id
    )
    row = {
        "id": uuid7(),
        "framework_id": framework_id,
        "number": (connection.scalar(newest) or 0) + 1,
        "digest": catalogue_digest(catalogue),
        "changed": changed,
        "installed_at": clock.now(),
        "created_at": clock.now(),
    }
    connection.execute(insert(FrameworkRevision), row)


def _framework_row(framework_id: UUID, catalogue: Catalogue) -> dict[str, Any]:
    return {
        "id": framework_id,
        "key": catalogue.key,
        "title": catalogue.title,
        "version": catalogue.version,
        "edition": catalogue.edition,
        "publisher": catalogue.publisher,
        "licence": catalogue.licence,
        "source": catalogue.source,
        "digest": catalogue_digest(catalogue),
        "structure": catalogue_structure(catalogue),
        "superseded_at": None,
        "created_at": clock.now(),
    }


def _requirement_rows(framework_id: UUID, catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        {
            "id": uuid5(framework_id, each.ref),
            "framework_id": framework_id,
            "ref": each.ref,
            "title": each.title,
            "outcome": each.outcome,
            "parent_ref": each.parent,
            "depth": each.depth,
            "position": each.position,
            "assessable": each.assessable,
            "created_at": clock.now(),
        }
        for each in catalogue.requirements
    ]
