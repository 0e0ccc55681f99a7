"""Changes for customers in search."""

from typing import Any

from governance.kernel.manifest import IndexedSearch, SearchText
from governance.publishing.change_log.models import CustomerChange


def _text(row: Any) -> SearchText:
    return SearchText(f"CH-{row.number}", row.title, "customer change log release note")


changes = IndexedSearch(
    kind="customer change",
    model=CustomerChange,
    reads=("number", "title"),
    text=_text,
    endpoint="change_log.change",
    address=lambda row_id, _ref, _parent: {"customer_change_id": row_id},
)
