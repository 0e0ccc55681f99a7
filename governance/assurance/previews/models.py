"""Previews of evidence files, one for each version that somebody has opened."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from governance.kernel.data.db import tenant_fk
from governance.kernel.work.background_work import Generated


class FilePreview(Generated):
    """What the file of a version shows, or the reason why it has no preview."""

    __tablename__ = "file_previews"
    __table_args__ = (
        tenant_fk("version_id", "evidence_versions"),
        UniqueConstraint("tenant_id", "version_id"),
        Index(None, "tenant_id", "created_at"),
    )

    version_id: Mapped[UUID]
    storage_key: Mapped[str | None]  # of its parts, as JSON
    note: Mapped[str]  # what it leaves out
    reason: Mapped[str | None]  # why there is none
    finished_at: Mapped[datetime | None]

    @property
    def is_ready(self) -> bool:
        return self.finished_at is not None
