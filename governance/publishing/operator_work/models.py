"""How old the keys are that sign and encrypt, by tenant: counted each hour, as rows of the operator's
own tenant.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from governance.kernel.data.db import Model, Tenanted


class KeyAge(Tenanted, Model):
    """Since when a tenant's key of a kind is in use. The installation's own keys are the
    operator's.
    """

    __tablename__ = "key_ages"
    __table_args__ = (
        UniqueConstraint("tenant_id", "customer_id", "kind"),
        Index(None, "tenant_id", "due_at"),
    )

    customer_id: Mapped[UUID]
    kind: Mapped[str]  # of key_ages.KINDS
    since: Mapped[datetime]  # created, or last replaced
    due_at: Mapped[datetime | None]  # None: nothing has to be done about it
