"""Inbox items of agreements: a version to accept, and a term that ends soon."""

from datetime import timedelta
from typing import Any

from sqlalchemy import DateTime, Interval, Select, String, cast, exists, func, literal

from governance.kernel.web.identity import OPERATOR_SLUG
from governance.kernel.work.inbox import (
    NOW,
    TENANT,
    TODAY,
    InboxRow,
    InboxSource,
    end_of,
    item_select,
)
from governance.operations.agreements import permissions
from governance.operations.agreements.models import (
    Acceptance,
    Agreement,
    AgreementVersion,
)

ENDS_SOON = timedelta(days=60)


def _named() -> Any:
    """Return "AGR-2 Claims automation"."""
    prefix = func.replace(
        func.replace(Agreement.direction, "to_tenant", "AGR-"), "from_vendor", "VEN-"
    )
    return func.concat(prefix, cast(Agreement.number, String), " ", Agreement.name)


def _select(**columns: Any) -> Select[Any]:
    v = AgreementVersion
    query = item_select(
        v,
        parent=v.agreement_id,
        place=cast(v.number, String),
        about=_named(),
        detail=func.concat("version ", cast(v.number, String)),
        **columns,
    )
    return query.join(
        Agreement, (Agreement.id == v.agreement_id) & (Agreement.tenant_id == v.tenant_id)
    )


def _awaiting() -> Select[Any]:
    """Select proposed versions that the customer's side hasn't accepted yet."""
    v = AgreementVersion
    accepted = exists().where(
        Acceptance.tenant_id == TENANT, Acceptance.version_id == v.id, Acceptance.side == "customer"
    )
    return _select(since=v.proposed_at).where(v.state == "proposed", ~accepted)


def _ending() -> Select[Any]:
    """Select the newest accepted version if its term ends within 60 days."""
    v = AgreementVersion
    later = AgreementVersion.__table__.alias("later")
    renewed = exists().where(
        later.c.tenant_id == TENANT,
        later.c.agreement_id == v.agreement_id,
        later.c.state == "accepted",
        later.c.effective_from > v.effective_from,
    )
    soon = cast(TODAY, DateTime()) + literal(ENDS_SOON, Interval())
    return _select(since=v.accepted_at, due=end_of(v.ends_on)).where(
        v.state == "accepted",
        v.ends_on.is_not(None),
        v.ends_on >= TODAY,
        cast(v.ends_on, DateTime()) <= soon,
        Agreement.ended_at.is_(None) | (Agreement.ended_at > NOW),
        ~renewed,
    )


def _address(row: InboxRow) -> dict[str, Any]:
    return {"agreement_id": row.parent, "version": row.place}


def _operator_address(row: InboxRow) -> dict[str, Any]:
    return {"slug": OPERATOR_SLUG, **_address(row)}


def _accept(name: str, needs: Any, endpoint: str, values: Any) -> InboxSource:
    return InboxSource(
        name=name,
        group="approvals",
        needs=needs,
        select=_awaiting,
        icon="signature",
        verb="Review",
        title=lambda row: f"Accept agreement {row.about}",
        detail=lambda row: f"{row.detail.capitalize()} awaits acceptance",
        why="you accept agreements for your side",
        endpoint=endpoint,
        values=values,
    )


def _renew(name: str, needs: Any, endpoint: str, values: Any) -> InboxSource:
    return InboxSource(
        name=name,
        group="reviews",
        needs=needs,
        select=_ending,
        icon="file-certificate",
        verb="Open",
        title=lambda row: f"Renew or end agreement {row.about}",
        detail=lambda row: f"The term of {row.detail} ends soon",
        why="you manage agreements, and this term ends within 60 days",
        endpoint=endpoint,
        values=values,
    )


AWAITING = _accept("agreement-version", permissions.ACCEPT, "agreements.agreement", _address)
ENDING = _renew("agreement-ends", permissions.EDIT, "agreements.agreement", _address)
VENDOR_AWAITING = _accept(
    "vendor-agreement-version",
    permissions.OPERATE,
    "operator_agreements.agreement",
    _operator_address,
)
VENDOR_ENDING = _renew(
    "vendor-agreement-ends",
    permissions.OPERATE,
    "operator_agreements.agreement",
    _operator_address,
)
