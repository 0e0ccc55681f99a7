"""Agreements in search, by their reference, name or customer."""

from typing import Any

from governance.kernel.manifest import IndexedSearch, SearchText
from governance.operations.agreements.models import TO_TENANT, Agreement


def _text(row: Any) -> SearchText | None:
    if row.direction != TO_TENANT:
        return None
    return SearchText(f"AGR-{row.number}", row.name, row.counterparty)


agreements = IndexedSearch(
    kind="agreement",
    model=Agreement,
    reads=("direction", "number", "name", "counterparty"),
    text=_text,
    endpoint="agreements.agreement",
    address=lambda row_id, _ref, _parent: {"agreement_id": row_id},
)
