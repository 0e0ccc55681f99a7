"""Search for evidence items. Auditors find only those in their scope."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from governance.assurance.evidence.models import Evidence
from governance.assurance.evidence.visibility import visible_scope
from governance.kernel.manifest import IndexedSearch, SearchText


def _text(row: Any) -> SearchText | None:
    return None if row.retired_at else SearchText(row.ref, row.title)


def _seen() -> Select[UUID] | None:
    seen = visible_scope().of_pieces()
    return select(Evidence.id).where(*seen) if seen else None


evidence_items = IndexedSearch(
    kind="evidence",
    many="evidence items",
    model=Evidence,
    reads=("ref", "title", "retired_at"),
    text=_text,
    seen=_seen,
    endpoint="evidence.item",
    address=lambda row_id, _ref, _parent: {"evidence_id": row_id},
)
