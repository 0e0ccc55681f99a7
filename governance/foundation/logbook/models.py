"""Rows of the log's readers: saved views, exports, and the index for their searches."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted
from governance.kernel.work.background_work import Generated


class SavedView(Tenanted, Model):
    """A name for a set of filters, for everyone in the tenant who can read the log."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str]
    query: Mapped[dict[str, Any]]  # Filter → value, as in the page's address.
    made_by: Mapped[UUID]


class LogExport(Generated):
    """An export of the log, generated in the background: its filters, and then its file."""

    __tablename__ = "log_exports"
    __table_args__ = (Index(None, "tenant_id", "created_at"),)

    format: Mapped[str]  # One of: jsonl ocsf csv.
    query: Mapped[dict[str, Any]]
    # Number of the checkpoint that its proofs lead to.
    checkpoint: Mapped[int | None] = mapped_column(BigInteger)
    entries: Mapped[int | None] = mapped_column(BigInteger)
    storage_key: Mapped[str | None]
    sha256: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    finished_at: Mapped[datetime | None]

    @property
    def is_ready(self) -> bool:
        return self.storage_key is not None


class DeniedAct(Tenanted, Model):
    """A count of how often someone was denied something within an hour.

    It becomes one entry when the hour is over, and its row is removed.
    """

    __tablename__ = "denied_acts"
    __table_args__ = (UniqueConstraint("tenant_id", "hour", "kind", "who", "route"),)

    hour: Mapped[datetime]  # The first instant of the hour, in UTC.
    kind: Mapped[str]  # One of: forbidden wrong_key forged_form.
    who: Mapped[str]  # A pseudonym, or the IP address of an unknown client.
    route: Mapped[str]
    count: Mapped[int]


class LogWord(Tenanted, Model):
    """A word that occurs unencrypted in a block of 256 entries (a full tile): the search index.

    Under row-level security a GIN index is never used, because its operators are not leakproof; a
    comparison of text is. A prefix of a word is a range only in byte order ("C"), so the column
    doesn't use the database's collation.
    """

    __tablename__ = "log_words"
    __table_args__ = (UniqueConstraint("tenant_id", "word", "block"),)

    word: Mapped[str] = mapped_column(String(collation="C"))
    block: Mapped[int] = mapped_column(BigInteger)


class SearchIndex(Tenanted, Model):
    """The number of blocks of the tenant's log in the search index."""

    __tablename__ = "log_search"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    blocks: Mapped[int] = mapped_column(BigInteger, default=0)
