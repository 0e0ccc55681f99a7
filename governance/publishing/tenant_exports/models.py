"""Archives of everything that a tenant has."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.work.background_work import Generated


class TenantExport(Generated):
    """One archive. `contents` counts its rows by table, and its files."""

    __tablename__ = "tenant_exports"
    __table_args__ = (Index(None, "tenant_id", "created_at"),)

    contents: Mapped[dict[str, Any]] = mapped_column(default=dict)
    storage_key: Mapped[str | None] = mapped_column(default=None)
    sha256: Mapped[str | None] = mapped_column(default=None)
    size: Mapped[int | None] = mapped_column(BigInteger, default=None)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def is_ready(self) -> bool:
        return self.storage_key is not None
