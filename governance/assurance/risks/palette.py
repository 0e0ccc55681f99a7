"""Risks in search."""

from typing import Any

from governance.assurance.risks.models import Risk
from governance.kernel.manifest import IndexedSearch, SearchText


def _text(row: Any) -> SearchText | None:
    return None if row.closed_at else SearchText(f"RSK-{row.number}", row.title)


risks = IndexedSearch(
    kind="risk",
    model=Risk,
    reads=("number", "title", "closed_at"),
    text=_text,
    endpoint="risks.risk",
    address=lambda row_id, _ref, _parent: {"risk_id": row_id},
)
