"""Proposed AI systems in search."""

from typing import Any

from governance.kernel.manifest import IndexedSearch, SearchText
from governance.operations.intake.models import SystemProposal


def _text(row: Any) -> SearchText:
    return SearchText(f"PRO-{row.number}", row.name)


proposals = IndexedSearch(
    kind="proposed AI system",
    model=SystemProposal,
    reads=("number", "name"),
    text=_text,
    endpoint="intake.proposal",
    address=lambda row_id, _ref, _parent: {"proposal_id": row_id},
)
