"""Files of a review's revision: a zip of the signed PDF, the workbook and the data file."""

from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.background_work import Generated
from governance.kernel.db import tenant_fk


class ReviewFile(Generated):
    """The files of one revision, with the sign-offs that it had when they were generated."""

    __tablename__ = "review_files"
    __table_args__ = (
        tenant_fk("revision_id", "review_revisions"),
        Index(None, "tenant_id", "revision_id"),
    )

    revision_id: Mapped[UUID]
    month: Mapped[str]
    number: Mapped[int]  # of the revision
    file_name: Mapped[str | None] = mapped_column()
    file_key: Mapped[str | None] = mapped_column()
    file_sha256: Mapped[str | None] = mapped_column()
    file_size: Mapped[int | None] = mapped_column()
    pages: Mapped[int | None] = mapped_column()
    sign_offs: Mapped[int | None] = mapped_column()  # that the PDF prints

    @property
    def is_ready(self) -> bool:
        return self.file_key is not None
