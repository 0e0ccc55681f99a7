"""The files of a red team's report."""

from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import tenant_fk
from governance.kernel.work.generated_files import StoredFile


class RedTeamFile(StoredFile):
    """A zip of a red team's report as a signed PDF.

    A draft was generated before the red team was finished. `open_findings` is the number of
    findings that it prints as open.
    """

    __tablename__ = "red_team_files"
    __table_args__ = (
        tenant_fk("red_team_id", "red_teams"),
        Index(None, "tenant_id", "red_team_id"),
    )

    red_team_id: Mapped[UUID]
    is_draft: Mapped[bool | None] = mapped_column()
    open_findings: Mapped[int | None] = mapped_column()
