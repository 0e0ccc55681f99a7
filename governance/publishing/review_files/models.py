"""The files of a review's revision: a zip of the signed PDF, the workbook and the data file."""

from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import tenant_fk
from governance.kernel.work.generated_files import StoredFile


class ReviewFile(StoredFile):
    """The files of one revision, with the sign-offs that it had when they were generated."""

    __tablename__ = "review_files"
    __table_args__ = (
        tenant_fk("revision_id", "review_revisions"),
        Index(None, "tenant_id", "revision_id"),
    )

    revision_id: Mapped[UUID]
    month: Mapped[str]
    number: Mapped[int]  # Of the revision.
    pages: Mapped[int | None] = mapped_column()
    sign_offs: Mapped[int | None] = mapped_column()  # The sign-offs that the PDF prints.
