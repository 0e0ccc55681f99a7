"""Views of lists that people saved for themselves."""

from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.db import Model, Tenanted


class ListView(Tenanted, Model):
    """A person's name for filters, search, sort and columns of one list."""

    __tablename__ = "list_views"
    __table_args__ = (UniqueConstraint("tenant_id", "person_id", "location", "name"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    location: Mapped[str]  # the list's name and the values of its route: requirements/nist-ai-rmf
    name: Mapped[str]
    query: Mapped[str]  # as the list's address has it
