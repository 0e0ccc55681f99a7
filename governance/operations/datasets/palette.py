"""Data sets in search."""

from typing import Any

from governance.kernel.manifest import IndexedSearch, SearchText
from governance.operations.datasets.models import DataSet


def _text(row: Any) -> SearchText | None:
    return None if row.retired_at else SearchText(row.key, row.name)


data_sets = IndexedSearch(
    kind="data set",
    model=DataSet,
    reads=("key", "name", "retired_at"),
    text=_text,
    endpoint="datasets.data_set",
    address=lambda row_id, _ref, _parent: {"data_set_id": row_id},
)
