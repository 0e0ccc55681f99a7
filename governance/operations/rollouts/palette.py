"""Rollouts in search."""

from typing import Any

from governance.kernel.manifest import IndexedSearch, SearchText
from governance.operations.rollouts.models import Rollout


def _text(row: Any) -> SearchText:
    return SearchText(f"RO-{row.number}", f"Release {row.release}", "rollout")


rollouts = IndexedSearch(
    kind="rollout",
    model=Rollout,
    reads=("number", "release"),
    text=_text,
    endpoint="rollouts.rollout",
    address=lambda row_id, _ref, _parent: {"rollout_id": row_id},
)
