"""Maintenance windows and other exclusions in search."""

from typing import Any

from governance.kernel.manifest import IndexedSearch, SearchText
from governance.operations.maintenance.models import Exclusion


def _text(row: Any) -> SearchText:
    return SearchText(f"MNT-{row.number}", row.title)


exclusions = IndexedSearch(
    kind="maintenance window",
    model=Exclusion,
    reads=("number", "title"),
    text=_text,
    endpoint="maintenance.exclusion",
    address=lambda row_id, _ref, _parent: {"exclusion_id": row_id},
)
