"""The search index: words of objects. It can be rebuilt from the objects."""

from uuid import UUID

from sqlalchemy import Index, PrimaryKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted


class SearchDocument(Tenanted, Model):
    """An object that can be found; `id` is the object's.

    `code` is its reference without anything but letters and digits, `words` all its words.
    """

    __tablename__ = "search_documents"
    __table_args__ = (Index(None, "tenant_id", "kind", "id"),)

    kind: Mapped[str]
    ref: Mapped[str]
    title: Mapped[str]
    parent: Mapped[UUID | None]
    code: Mapped[str] = mapped_column(String(collation="C"))
    words: Mapped[str] = mapped_column(String(collation="C"))


class SearchWord(Tenanted, Model):
    """A word of the object `id`, except the very common words of the language.

    As in `log_words`, a comparison of text may use an index under row-level security, and the
    beginning of a word is a range in byte order ("C").
    """

    __tablename__ = "search_words"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "kind", "word", "id"),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(String(collation="C"), primary_key=True)
