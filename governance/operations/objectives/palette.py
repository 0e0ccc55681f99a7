"""Active objectives in search, by name or slug."""

from typing import Any

from governance.kernel.manifest import IndexedSearch, SearchText
from governance.operations.objectives.models import Objective


def _text(row: Any) -> SearchText | None:
    return None if row.retired_at else SearchText(row.key, row.name)


objectives = IndexedSearch(
    kind="objective",
    model=Objective,
    reads=("key", "name", "retired_at"),
    text=_text,
    endpoint="objectives.objective",
    address=lambda row_id, _ref, _parent: {"objective_id": row_id},
)
