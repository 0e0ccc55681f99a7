"""Versions that other records can refer to, such as audit requests and red team findings.

usable_versions(), is_usable()   not rejected, withdrawn, deleted or approved for deletion
usable_version(id)               one of them
found_by(query, words)           those whose item has the words in its ref or title
offered(query, limit)            choices for a form, as (id, label)
"""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select

from governance.assurance.evidence.models import Evidence, EvidenceReview, EvidenceVersion
from governance.assurance.evidence.version_queries import is_not_deleted, is_not_withdrawn
from governance.assurance.evidence.visibility import visible_scope
from governance.kernel.data.db import session
from governance.kernel.formatting import long_day


def is_usable() -> ColumnElement[bool]:
    """Return the SQL condition that a record can refer to the version."""
    v, r = EvidenceVersion, EvidenceReview
    rejected = select(r.id).where(r.version_id == v.id, r.decision == "rejected")
    return and_(~rejected.exists(), is_not_deleted(), is_not_withdrawn())


def usable_versions() -> Select[Any]:
    """Select the usable versions that the reader may see, joined with their items."""
    v = EvidenceVersion
    query = select(v).join(Evidence, Evidence.id == v.evidence_id)
    return query.where(is_usable(), *visible_scope().of_versions())


def usable_version(version_id: UUID) -> EvidenceVersion | None:
    """Return the version if it is usable, or None. Locks its item until the transaction ends."""
    query = usable_versions().where(EvidenceVersion.id == version_id).with_for_update(of=Evidence)
    return session().scalars(query).one_or_none()


def found_by(query: Select[Any], words: str) -> Select[Any]:
    for word in words.split():
        query = query.where(
            Evidence.ref.icontains(word, autoescape=True)
            | Evidence.title.icontains(word, autoescape=True)
        )
    return query


def offered(query: Select[Any], limit: int) -> list[tuple[UUID, str]]:
    """List the newest versions as (id, label).

    A label is "EV-0012 version 3: Penetration test report, to 30 June 2026".
    """
    v = EvidenceVersion
    newest = query.order_by(v.uploaded_at.desc(), v.id.desc()).limit(limit)
    rows = session().execute(
        newest.with_only_columns(v.id, v.number, v.period_to, Evidence.ref, Evidence.title)
    )
    return [
        (r.id, f"{r.ref} version {r.number}: {r.title}, to {long_day(r.period_to)}") for r in rows
    ]
