"""Published policy versions and waivers in search.

The search terms are "policy 4", "version 4" or their tier.
"""

from typing import Any

from governance.kernel.manifest import IndexedSearch, SearchText
from governance.operations.policies.dimensions import DIMENSIONS
from governance.operations.policies.models import PolicyVersion, Waiver


def _text(row: Any) -> SearchText | None:
    if row.number is None:
        return None
    return SearchText(str(row.number), f"Policy version {row.number}", row.content.get("tier", ""))


def _text_of_waiver(row: Any) -> SearchText:
    known = DIMENSIONS.get(row.dimension)
    return SearchText("", f"Waiver of {known.title if known else row.dimension}", row.reason)


policy_versions = IndexedSearch(
    kind="policy",
    many="policies",
    model=PolicyVersion,
    reads=("number", "content"),
    text=_text,
    endpoint="policies.version",
    address=lambda _row_id, ref, _parent: {"number": int(ref)},
)
waivers = IndexedSearch(
    kind="waiver",
    model=Waiver,
    reads=("dimension", "reason"),
    text=_text_of_waiver,
    endpoint="waivers.waiver",
    address=lambda row_id, _ref, _parent: {"waiver_id": row_id},
)
