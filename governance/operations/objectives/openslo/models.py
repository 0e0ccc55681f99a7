"""Imported OpenSLO documents, with the data that objectives' own rows lack."""

from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted


class OpenSloDocument(Tenanted, Model):
    """One document, as YAML: labels, annotations, metric sources, the spelling of its window.

    An export writes it again, with the objective's current target and window.
    """

    __tablename__ = "openslo_documents"
    __table_args__ = (UniqueConstraint("tenant_id", "kind", "name"),)

    kind: Mapped[str]  # Service, SLI or SLO
    name: Mapped[str]
    content: Mapped[str]
    imported_by: Mapped[UUID | None]
    revision: Mapped[int] = mapped_column(default=1)  # Increases with each import that differs
