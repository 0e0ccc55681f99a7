"""The files of a red team's report."""

from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.background_work import Generated
from governance.kernel.db import tenant_fk


class RedTeamFile(Generated):
    """A zip of a red team's report as a signed PDF. A draft was made before the red team was
    finished; `open_findings` are those that it prints as open.
    """

    __tablename__ = "red_team_files"
    __table_args__ = (
        tenant_fk("red_team_id", "red_teams"),
        Index(None, "tenant_id", "red_team_id"),
    )

    red_team_id: Mapped[UUID]
    file_name: Mapped[str | None] = mapped_column()
    file_key: Mapped[str | None] = mapped_column()
    file_sha256: Mapped[str | None] = mapped_column()
    file_size: Mapped[int | None] = mapped_column()
    is_draft: Mapped[bool | None] = mapped_column()
    open_findings: Mapped[int | None] = mapped_column()

    @property
    def is_ready(self) -> bool:
        return self.file_key is not None
