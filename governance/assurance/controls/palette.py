"""Controls in the command palette; an auditor finds those of their engagement."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from governance.assurance.controls.models import Control
from governance.kernel import current
from governance.kernel.manifest import ObjectSearch, contains
from governance.kernel.visibility_scope import limits


def _find(text: str) -> Select[UUID, str, str]:
    scope, pattern = limits(), contains(text)
    query = select(Control.id, Control.ref, Control.title).where(
        Control.tenant_id == current.actor().tenant_id,
        Control.retired_at.is_(None),
        or_(Control.ref.ilike(pattern), Control.title.ilike(pattern)),
    )
    return query if scope is None else query.where(Control.id.in_(scope.controls or ()))


def _address(control_id: UUID, _ref: str) -> dict[str, Any]:
    return {"control_id": control_id}


controls = ObjectSearch("control", _find, "controls.control", _address)
