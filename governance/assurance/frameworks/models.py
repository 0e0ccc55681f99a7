"""Models of frameworks. Catalogues belong to the installation, adoptions and texts to a tenant."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class Framework(Model):
    """An edition of a framework. Its structure never changes, but its words can be corrected.

    `structure` is a digest of its ids, `digest` one of its current content.
    """

    __tablename__ = "frameworks"
    __table_args__ = (UniqueConstraint("key", "structure"),)

    key: Mapped[str]
    title: Mapped[str]
    version: Mapped[str]
    edition: Mapped[str]
    publisher: Mapped[str]
    licence: Mapped[str]
    source: Mapped[str]
    digest: Mapped[str]
    structure: Mapped[str]
    superseded_at: Mapped[datetime | None]


class FrameworkRevision(Model):
    """The words of an edition from a day on. `changed` lists the corrections."""

    __tablename__ = "framework_revisions"
    __table_args__ = (
        UniqueConstraint("framework_id", "number"),
        CheckConstraint("number > 0", "numbered_from_one"),
    )

    framework_id: Mapped[UUID] = mapped_column(ForeignKey("frameworks.id"))
    number: Mapped[int]
    digest: Mapped[str]
    changed: Mapped[list[Any]]  # {ref ("" for the framework), field, before, after}
    installed_at: Mapped[datetime]


class Requirement(Model):
    """A node of a framework's tree.

    `ref` is the publisher's id. `title` and `outcome` are Meridian's words.
    """

    __tablename__ = "requirements"
    __table_args__ = (
        UniqueConstraint("framework_id", "ref"),
        Index(None, "framework_id", "position"),
    )

    framework_id: Mapped[UUID] = mapped_column(ForeignKey("frameworks.id"))
    ref: Mapped[str]
    title: Mapped[str]
    outcome: Mapped[str]
    parent_ref: Mapped[str | None]
    depth: Mapped[int]
    position: Mapped[int]
    assessable: Mapped[bool]


class Adoption(Tenanted, Model):
    """The adoption of a framework version by a tenant."""

    __tablename__ = "adoptions"
    __table_args__ = (UniqueConstraint("tenant_id", "framework_id"),)

    framework_id: Mapped[UUID] = mapped_column(ForeignKey("frameworks.id"))
    adopted_by: Mapped[UUID | None]


class FrameworkImport(Tenanted, Model):
    """An imported file, with its digest, edition and a summary of the import."""

    __tablename__ = "framework_imports"
    __table_args__ = (UniqueConstraint("tenant_id", "framework_id", "sha256"),)

    framework_id: Mapped[UUID] = mapped_column(ForeignKey("frameworks.id"))
    format: Mapped[str]
    filename: Mapped[str]
    edition: Mapped[str]
    sha256: Mapped[str]
    imported_by: Mapped[UUID]
    report: Mapped[dict[str, Any]]


class OfficialText(Tenanted, Model):
    """A publisher's text on a requirement, stored separately from Meridian's words.

    `kind` is "statement", "about", and so on (`Kind` in publisher_file.py).
    """

    __tablename__ = "official_texts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "requirement_id", "kind"),
        tenant_fk("import_id", "framework_imports"),
    )

    requirement_id: Mapped[UUID] = mapped_column(ForeignKey("requirements.id"))
    kind: Mapped[str]
    text: Mapped[str]
    import_id: Mapped[UUID]
