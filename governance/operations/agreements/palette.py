"""Agreements in the command palette, by their reference or name."""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, cast, func, literal, select

from governance.kernel import current
from governance.kernel.manifest import ObjectSearch, contains
from governance.operations.agreements.models import TO_TENANT, Agreement

MAX_FOUND = 5
REFERENCE = re.compile(r"agr-?(\d{1,6})\Z", re.IGNORECASE)


def _find(text: str) -> Select[UUID, str, str] | None:
    a = Agreement
    number = cast(a.number, String)
    title = literal("AGR-") + number + " " + a.name
    query = select(a.id, func.concat("agr-", number).label("ref"), title.label("title"))
    query = query.where(a.tenant_id == current.actor().tenant_id, a.direction == TO_TENANT)
    named = REFERENCE.match(text.strip())
    wanted = a.number == int(named[1]) if named else a.name.ilike(contains(text))
    return query.where(wanted).order_by(a.number.desc()).limit(MAX_FOUND)


def _address(agreement_id: UUID, _ref: str) -> dict[str, Any]:
    return {"agreement_id": agreement_id}


agreements = ObjectSearch("agreement", _find, "agreements.agreement", _address)
