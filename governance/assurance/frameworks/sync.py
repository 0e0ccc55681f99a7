"""Install the built-in catalogues as the database's owner; the application may only read them."""

from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, create_engine, func, insert, select, text, update

from governance.assurance.frameworks.catalogue import Catalogue, all_catalogues, catalogue_digest
from governance.assurance.frameworks.models import Framework, Requirement
from governance.kernel import clock

NAMESPACE = UUID("0f6b8c0e-5d0a-4a6e-9f43-6f0b0c7f8a11")
LOCK = "governance: frameworks"


def install_catalogues(url: str) -> list[str]:
    """Add each edition that is not there yet, and mark what it replaces.

    Returns the keys that were added.

    Ids are derived from key, digest and ref, so every installation of the same catalogue has the
    same ones. A second run changes nothing; two at once wait for each other.
    """
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": LOCK}
            )
            return [each.key for each in all_catalogues() if _installed(connection, each)]
    finally:
        engine.dispose()


def _installed(connection: Connection, catalogue: Catalogue) -> bool:
    """Install a catalogue if it is missing; return whether it was."""
    framework_id = identifier(catalogue)
    known = connection.scalar(
        select(func.count()).select_from(Framework).where(Framework.id == framework_id)
    )
    if not known:
        connection.execute(insert(Framework), _framework_row(framework_id, catalogue))
        connection.execute(insert(Requirement), _requirement_rows(framework_id, catalogue))
    same_key = Framework.key == catalogue.key
    present, superseded = Framework.id == framework_id, Framework.superseded_at
    connection.execute(
        update(Framework)
        .where(same_key, present, superseded.is_not(None))
        .values(superseded_at=None)
    )
    connection.execute(
        update(Framework)
        .where(same_key, ~present, superseded.is_(None))
        .values(superseded_at=clock.now())
    )
    return not known


def identifier(catalogue: Catalogue) -> UUID:
    return uuid5(NAMESPACE, f"{catalogue.key}\0{catalogue_digest(catalogue)}")


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
