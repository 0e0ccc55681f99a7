"""Playbooks in the command palette."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from governance.assurance.playbooks.models import Playbook
from governance.kernel import current
from governance.kernel.manifest import ObjectSearch, contains


def _find(text: str) -> Select[UUID, str, str]:
    pattern = contains(text)
    return select(Playbook.id, Playbook.ref, Playbook.title).where(
        Playbook.tenant_id == current.actor().tenant_id,
        Playbook.retired_at.is_(None),
        or_(Playbook.ref.ilike(pattern), Playbook.title.ilike(pattern)),
    )


def _address(playbook_id: UUID, _ref: str) -> dict[str, Any]:
    return {"playbook_id": playbook_id}


playbooks = ObjectSearch("playbook", _find, "playbooks.playbook", _address)
