"""Files that are generated in the background, stored, and downloaded.

class RedTeamFile(StoredFile): …            its table; FILES = WorkKind(…) next to its actions
request(RedTeamFile, red_team_id=row.id)    queue it; a second click watches the first
name_file(row, blob, name=…)                name the finished file in its row, once
to_download(row)                            the file of a download
newest_files(RedTeamFile, limit, …)         the newest with their work
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.files.storage import Blob
from governance.kernel.work import background_work
from governance.kernel.work.background_work import Generated, GeneratedFile, Run, with_work

ZIP = "application/zip"


class StoredFile(Generated):
    """A row with one stored file; until it is generated, it has none."""

    __abstract__ = True

    file_name: Mapped[str | None] = mapped_column(default=None)
    file_key: Mapped[str | None] = mapped_column(default=None)
    file_sha256: Mapped[str | None] = mapped_column(default=None)
    file_size: Mapped[int | None] = mapped_column(default=None)

    @property
    def is_ready(self) -> bool:
        return self.file_key is not None


def request[F: StoredFile](
    model: type[F], *, is_limited: bool = True, also: dict[str, Any] | None = None, **of: Any
) -> F:
    """Queue the file of what `of` names, or return the one that is in progress.

    `also` are columns that don't tell one file from another. Raises DomainError as start() does.
    """
    background_work.lock(model)
    conditions = [getattr(model, name) == value for name, value in of.items()]
    if found := background_work.under_way(model, *conditions):
        return found[0]
    row = model(**of, **(also or {}), work_item_id=None, requested_by=None)
    return background_work.start(row, is_limited=is_limited)


def name_file(row: StoredFile, blob: Blob, *, name: str) -> bool:
    """Name the finished file in its row; return False if an earlier try has done so."""
    if row.is_ready:
        return False
    row.file_key, row.file_sha256, row.file_size = blob.key, blob.sha256, blob.size
    row.file_name = name
    return True


def to_download(row: StoredFile) -> GeneratedFile:
    """Return the file. Raises DomainError before it is generated."""
    if row.file_key is None or row.file_name is None:
        raise DomainError("This file isn't ready yet.")
    return GeneratedFile(
        row.file_name, ZIP, key=row.file_key, size=row.file_size, sha256=row.file_sha256
    )


def newest_files[F: StoredFile](model: type[F], limit: int, **of: Any) -> Sequence[Run[F]]:
    """Return the newest files of what `of` names with their work."""
    query = with_work(model).filter_by(**of)
    query = query.order_by(model.created_at.desc(), model.id).limit(limit)
    return [Run(row, work) for row, work in session().execute(query)]
