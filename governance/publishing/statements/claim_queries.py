"""Queries of claims on vendors: rows of the operator's own tenant."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from governance.kernel.data.db import find, session
from governance.publishing.statements.models import OPEN_CLAIMS, VendorClaim

CLAIM = "vendor_claim"  # The kind of approval.


def claim(claim_id: UUID, *, lock: bool = False) -> VendorClaim:
    return find(VendorClaim, claim_id, what="claim", lock=lock)


def claims_of(customer_id: UUID, month: str) -> Sequence[VendorClaim]:
    """List all claims for a tenant's month, the newest first."""
    query = select(VendorClaim).where(
        VendorClaim.customer_id == customer_id, VendorClaim.month == month
    )
    return session().scalars(query.order_by(VendorClaim.number.desc())).all()


def newest_of(customer_ids: Collection[UUID]) -> dict[tuple[UUID, str], VendorClaim]:
    """Map each (customer, month) to its newest claim, in one statement."""
    query = select(VendorClaim).where(VendorClaim.customer_id.in_(set(customer_ids)))
    rows = session().scalars(query.order_by(VendorClaim.number)).all()
    return {(each.customer_id, each.month): each for each in rows}


def open_claim(agreement_id: UUID, customer_id: UUID, month: str) -> VendorClaim | None:
    query = select(VendorClaim).where(
        VendorClaim.agreement_id == agreement_id,
        VendorClaim.customer_id == customer_id,
        VendorClaim.month == month,
        VendorClaim.state.in_(OPEN_CLAIMS),
    )
    return session().scalars(query).one_or_none()


def overdue(now: datetime) -> Sequence[VendorClaim]:
    """List claims that weren't sent before their deadline."""
    query = select(VendorClaim).where(
        VendorClaim.state.in_(("prepared", "approved")), VendorClaim.deadline <= now
    )
    return session().scalars(query.order_by(VendorClaim.number).with_for_update()).all()


def next_number() -> int:
    return (session().scalar(select(func.max(VendorClaim.number))) or 0) + 1
