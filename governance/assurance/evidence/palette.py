"""Evidence items in the command palette; an auditor finds those that they may see."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from governance.assurance.evidence.models import Evidence
from governance.assurance.evidence.visibility import sight
from governance.kernel import current
from governance.kernel.manifest import ObjectSearch, contains


def _find(text: str) -> Select[UUID, str, str]:
    pattern = contains(text)
    return select(Evidence.id, Evidence.ref, Evidence.title).where(
        Evidence.tenant_id == current.actor().tenant_id,
        Evidence.retired_at.is_(None),
        or_(Evidence.ref.ilike(pattern), Evidence.title.ilike(pattern)),
        *sight().of_pieces(),
    )


def _address(evidence_id: UUID, _ref: str) -> dict[str, Any]:
    return {"evidence_id": evidence_id}


evidence_items = ObjectSearch("evidence", _find, "evidence.piece", _address)
