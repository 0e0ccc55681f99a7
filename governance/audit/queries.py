"""Reading the record: what happened to an object, newest first."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select

from governance.audit.models import AuditEntry
from governance.kernel.db import session


def entries_about(target_ids: Collection[UUID], *, limit: int = 30) -> Sequence[AuditEntry]:
    """The newest entries on any of these objects."""
    query = select(AuditEntry).where(AuditEntry.target_id.in_(target_ids))
    return session().scalars(query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit)).all()


def newest(*, limit: int = 30) -> Sequence[AuditEntry]:
    query = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    return session().scalars(query.limit(limit)).all()
