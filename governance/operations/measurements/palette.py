"""Indicators in search."""

from typing import Any

from governance.kernel.manifest import IndexedSearch, SearchText
from governance.operations.measurements.models import Indicator


def _text(row: Any) -> SearchText | None:
    return None if row.retired_at else SearchText(row.key, row.name)


indicators = IndexedSearch(
    kind="indicator",
    model=Indicator,
    reads=("key", "name", "retired_at"),
    text=_text,
    endpoint="indicators.indicator",
    address=lambda _row_id, ref, _parent: {"indicator_id": ref},
)
