"""Agreements for tests, created by the product's own actions."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from governance.foundation.tenants.queries import tenant_by_slug
from governance.foundation.tenants.system_actor import visiting
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.operations.agreements import acceptance_actions, actions, proposal_actions, queries
from governance.operations.agreements.drafts import CommitmentContent, Content
from governance.operations.agreements.models import FROM_VENDOR, TO_TENANT, AgreementVersion
from tests import make

BANDS = [["0.999", "0.1"], ["0.99", "0.25"], ["0.95", "1"]]
CALENDAR = {
    "zone": "Europe/Berlin",
    "hours": {"mon": [["09:00", "17:00"]]},
    "country": "DE",
    "subdivision": "BE",
    "own_days": [],
}
OCTOBER = datetime(2026, 9, 30, 22, tzinfo=UTC)  # Midnight in Berlin.


def promise(**changes: Any) -> CommitmentContent:
    """Return a commitment of 99.9% with the published bands."""
    values = {"target": Decimal("0.999"), "bands": BANDS, "fee_part": 520_000}
    return CommitmentContent(**values | changes)


def content(*commitments: CommitmentContent, **changes: Any) -> Content:
    """Return terms from 1 October 2026, for €12,400.00 a month, with a cap of 30%."""
    values: dict[str, Any] = {
        "effective_from": OCTOBER,
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "monthly_fee": 1_240_000,
        "credit_cap": Decimal("0.3"),
        "minimum_coverage": Decimal("0.95"),
        "close_day": 3,
        "maintenance_notice_hours": 72,
        "excluded_categories": ("maintenance",),
        "claim_days": 30,
        "business_hours": CALENDAR,
        "commitments": commitments,
    }
    return Content(**values | changes)


@contextmanager
def operating(slug: str = "acme", who: str = "operator_admin") -> Iterator[None]:
    """Act as that operator inside a tenant, in one transaction."""
    operator = make.actor(who, "console")
    tenant = tenant_by_slug_of(slug)
    with current.acting_as(visiting(operator, tenant)), transaction():
        yield


def tenant_by_slug_of(slug: str) -> Any:
    with current.acting_as(make.system_actor(slug)), transaction(read_only=True) as work:
        tenant = tenant_by_slug(slug)
        work.expunge_all()
    assert tenant
    return tenant


def drafted(indicator_id: UUID, *, slug: str = "acme", **changes: Any) -> AgreementVersion:
    """Draft an agreement about one indicator of that tenant, as the operator."""
    with operating(slug):
        row = actions.create(
            "Claims automation",
            content(promise(indicator_id=indicator_id), **changes),
            reason="First agreement",
        )
        return _kept(row)


def proposed(indicator_id: UUID, *, slug: str = "acme", **changes: Any) -> AgreementVersion:
    """Draft and propose an agreement about one indicator of that tenant."""
    draft = drafted(indicator_id, slug=slug, **changes)
    with operating(slug):
        row = queries.version(draft.id)
        proposal_actions.propose(row, seen=row.edited)
        return _kept(row)


def accept_both(version_id: UUID, slug: str = "acme") -> None:
    """Accept a proposed version for the provider and for the customer."""
    with operating(slug):
        row = queries.version(version_id)
        acceptance_actions.accept(row, seen=row.fingerprint)
    with make.acting("admin", slug):
        row = queries.version(version_id)
        acceptance_actions.accept(row, seen=row.fingerprint)


def in_force(indicator_id: UUID, *, slug: str = "acme", **changes: Any) -> AgreementVersion:
    """Create an agreement whose first version both sides accepted."""
    row = proposed(indicator_id, slug=slug, **changes)
    accept_both(row.id, slug)
    return row


def vendor_draft(counterparty: str = "Helio Cloud") -> AgreementVersion:
    """Draft an agreement with a vendor, in the operator's own tenant."""
    with operating("console"):
        row = actions.create(
            "Model hosting",
            content(promise(vendor=True, target=Decimal("0.999"))),
            direction=FROM_VENDOR,
            counterparty=counterparty,
            reason="",
        )
        return _kept(row)


def _kept(row: AgreementVersion) -> AgreementVersion:
    from governance.kernel.data.db import session

    session().flush()
    session().refresh(row)
    session().expunge(row)
    return row


__all__ = ["FROM_VENDOR", "TO_TENANT"]
