"""Published policy versions in the command palette, by "policy 4", "version 4" or their tier."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, cast, literal, select

from governance.kernel import current
from governance.kernel.manifest import ObjectSearch
from governance.operations.policies.models import PolicyVersion

MAX_VERSIONS = 3
MAX_DIGITS = 6  # of the number of a version


def _find(text: str) -> Select[UUID, str, str] | None:
    v = PolicyVersion
    words = [word for word in text.lower().split() if word not in {"policy", "version"}]
    if not words and "policy" not in text.lower():
        return None
    named = [
        (
            v.number == int(word)
            if word.isdecimal() and len(word) <= MAX_DIGITS
            else v.content["tier"].astext.ilike(f"%{word}%")
        )
        for word in words
    ]
    number = cast(v.number, String)
    query = select(v.id, number.label("ref"), (literal("Policy version ") + number).label("title"))
    query = query.where(v.tenant_id == current.actor().tenant_id, v.number.is_not(None), *named)
    return query.order_by(v.number.desc()).limit(MAX_VERSIONS)


def _address(_version_id: UUID, number: str) -> dict[str, Any]:
    return {"number": int(number)}


policy_versions = ObjectSearch("policy", _find, "policies.version", _address)
