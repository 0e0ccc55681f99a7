"""Open approvals in search, for their requesters and those who may decide them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, cast, func, literal, or_, select

from governance.foundation.approvals import inbox
from governance.foundation.approvals.models import Approval
from governance.kernel import clock, current
from governance.kernel.manifest import ObjectSearch
from governance.kernel.pages.search_words import has_words, typed


def _find(text: str) -> Select[UUID, str, str]:
    a, who = Approval, current.actor()
    ref = func.concat("APR-", cast(a.number, String))
    is_visible = or_(
        inbox.contains(a.requesters, literal(str(who.person_id))), inbox.decides(literal(who.role))
    )
    is_open = or_(a.expires_at.is_(None), a.expires_at > clock.now())
    mine = a.tenant_id == who.tenant_id, a.state == "open", is_open, is_visible
    query = select(a.id, ref.label("ref"), a.summary)
    return query.where(*mine, has_words(typed(text), ref, a.summary))


def _address(approval_id: UUID, _ref: str) -> dict[str, Any]:
    return {"approval_id": approval_id}


approvals = ObjectSearch("approval", _find, "approvals.approval", _address)
