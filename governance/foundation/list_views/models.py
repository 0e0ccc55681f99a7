"""Views of lists that people saved, for themselves or for everyone, and how they open lists."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class ListView(Tenanted, Model):
    """A person's name for filters, search, sort and columns of one list."""

    __tablename__ = "list_views"
    __table_args__ = (
        UniqueConstraint("tenant_id", "person_id", "location", "name"),
        Index(None, "tenant_id", "location"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    location: Mapped[str]  # The list's name and the values of its route: requirements/nist-ai-rmf
    name: Mapped[str]
    query: Mapped[str]  # The query of the list's address.
    shared: Mapped[bool] = mapped_column(default=False, server_default="false")


class ListDefault(Tenanted, Model):
    """A person's way to open a list.

    The columns are those of the list's name, the view is that of a location.
    """

    __tablename__ = "list_defaults"
    __table_args__ = (
        UniqueConstraint("tenant_id", "person_id", "location"),
        tenant_fk("view_id", "list_views"),
        Index(None, "tenant_id", "view_id"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    location: Mapped[str]
    columns: Mapped[str]  # As an address names them; empty for the usual ones.
    view_id: Mapped[UUID | None]
