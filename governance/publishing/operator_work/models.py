"""The ages of signing and encryption keys by tenant.

They are recorded each hour, as rows of the operator's own tenant.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from governance.kernel.data.db import Model, Tenanted


class KeyAge(Tenanted, Model):
    """The time since when a tenant's key of a kind is in use.

    The installation's own keys belong to the operator's tenant.
    """

    __tablename__ = "key_ages"
    __table_args__ = (
        UniqueConstraint("tenant_id", "customer_id", "kind"),
        Index(None, "tenant_id", "due_at"),
    )

    customer_id: Mapped[UUID]
    kind: Mapped[str]  # One of key_ages.KINDS.
    since: Mapped[datetime]  # When it was created or last replaced.
    due_at: Mapped[datetime | None]  # None: nothing has to be done about it.
