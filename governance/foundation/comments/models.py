"""Comments on objects of any feature, and what their writers replaced."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class ObjectComment(Tenanted, Model):
    """A comment on one object.

    In `text` a mention is `@{person id}`. A removed comment keeps its place and no text.
    """

    __tablename__ = "object_comments"
    __table_args__ = (Index(None, "tenant_id", "subject_id", "created_at", "id"),)

    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    text: Mapped[str]
    mentions: Mapped[list[Any]] = mapped_column(default=list)  # Ids of people, as text.
    written_by: Mapped[UUID]
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[UUID | None]


class ObjectCommentRevision(Tenanted, Model):
    """The text of a comment before an edit."""

    __tablename__ = "object_comment_revisions"
    __table_args__ = (
        tenant_fk("comment_id", "object_comments"),
        Index(None, "tenant_id", "comment_id", "created_at"),
    )

    comment_id: Mapped[UUID]
    text: Mapped[str]
    mentions: Mapped[list[Any]] = mapped_column(default=list)  # Ids of people, as text.
