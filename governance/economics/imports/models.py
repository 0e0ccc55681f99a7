"""Table of imported files, in the operator's own tenant.

A file is `reading` until its preview exists, then `ready` or `failed` (unreadable), then `applying`
and `applied`, or `discarded`. `rejected` holds the first rejected rows; the CSV file in storage
lists `rows_listed` of them. Storage keys are cleared when the files are removed.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.work.background_work import Generated

STATES = ("reading", "ready", "failed", "applying", "applied", "discarded")
OPEN = ("reading", "ready", "applying")


class FileImport(Generated):
    """An uploaded file; `requested_by` is the uploader."""

    __tablename__ = "file_imports"
    __table_args__ = (
        Index(None, "tenant_id", "created_at", "id"),
        Index(
            "uq_file_imports_applied",
            "tenant_id",
            "kind",
            "sha256",
            unique=True,
            postgresql_where=text("state = 'applied'"),
        ),
        CheckConstraint(f"state IN ({', '.join(f"'{each}'" for each in STATES)})", "state"),
        CheckConstraint("state <> 'applied' OR rows_rejected = 0", "applied_whole"),
    )

    kind: Mapped[str]  # the name of an ImportKind
    name: Mapped[str]  # of the file
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    storage_key: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="reading")
    problem: Mapped[str | None]  # why it failed, or why Meridian discarded it
    rows_read: Mapped[int] = mapped_column(BigInteger, default=0)
    rows_accepted: Mapped[int] = mapped_column(BigInteger, default=0)
    rows_rejected: Mapped[int] = mapped_column(BigInteger, default=0)
    rejected: Mapped[list[Any]] = mapped_column(default=list)  # [line, field, reason]
    rows_listed: Mapped[int] = mapped_column(
        BigInteger, default=0
    )  # rejected rows listed in the download
    rejected_key: Mapped[str | None]
    totals: Mapped[list[Any]] = mapped_column(default=list)  # kinds.Total as JSON
    notes: Mapped[list[Any]] = mapped_column(default=list)  # [label, text]
    decided_by: Mapped[UUID | None]  # person who applied or discarded it
    decided_at: Mapped[datetime | None]

    @property
    def is_ready(self) -> bool:
        """Whether no work on it is under way."""
        return self.state not in {"reading", "applying"}

    @property
    def can_be_applied(self) -> bool:
        return self.state == "ready" and not self.rows_rejected and self.rows_accepted > 0
