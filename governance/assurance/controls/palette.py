"""Controls in search. Auditors find those of their engagement."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select

from governance.assurance.controls.models import Control
from governance.kernel.manifest import IndexedSearch, SearchText
from governance.kernel.safety.visibility_scope import seen_by_control


def _text(row: Any) -> SearchText | None:
    return None if row.retired_at else SearchText(row.ref, row.title)


def _seen() -> Select[UUID] | None:
    return seen_by_control(Control.id, Control.id)


controls = IndexedSearch(
    kind="control",
    model=Control,
    reads=("ref", "title", "retired_at"),
    text=_text,
    seen=_seen,
    endpoint="controls.control",
    address=lambda row_id, _ref, _parent: {"control_id": row_id},
)
