"""AI systems in search."""

from typing import Any

from governance.kernel.manifest import IndexedSearch, SearchText
from governance.operations.systems.models import AISystem

KIND = "AI system"


def _text(row: Any) -> SearchText | None:
    return None if row.retired_at else SearchText(row.key, row.name)


ai_systems = IndexedSearch(
    kind=KIND,
    model=AISystem,
    reads=("key", "name", "retired_at"),
    text=_text,
    endpoint="systems.system",
    address=lambda _row_id, ref, _parent: {"system_id": ref},
)
