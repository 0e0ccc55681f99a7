"""The keys that sign policy bundles."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from governance.kernel.data.db import Model, Tenanted


class BundleKey(Tenanted, Model):
    """An Ed25519 key. Its private part is encrypted with the installation's key."""

    __tablename__ = "bundle_keys"
    __table_args__ = (UniqueConstraint("tenant_id", "public"),)

    public: Mapped[bytes]
    wrapped: Mapped[bytes]
    retired_at: Mapped[datetime | None]
