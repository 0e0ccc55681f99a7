"""Model of the previews of evidence files."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from governance.kernel.data.db import tenant_fk
from governance.kernel.work.background_work import Generated


class FilePreview(Generated):
    """The preview of a version's file, or the reason why there is none.

    Created when someone first requests it.
    """

    __tablename__ = "file_previews"
    __table_args__ = (
        tenant_fk("version_id", "evidence_versions"),
        UniqueConstraint("tenant_id", "version_id"),
        Index(None, "tenant_id", "created_at"),
    )

    version_id: Mapped[UUID]
    storage_key: Mapped[str | None]  # Of the parts, stored as JSON.
    note: Mapped[str]  # The content that the preview leaves out.
    reason: Mapped[str | None]  # Why there is no preview.
    finished_at: Mapped[datetime | None]

    @property
    def is_ready(self) -> bool:
        return self.finished_at is not None
