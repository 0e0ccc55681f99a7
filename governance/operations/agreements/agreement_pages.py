"""The lists of agreements and the page of one agreement; version_page.py renders its version."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import request
from sqlalchemy import select

from governance.foundation.tenants.queries import all_tenants
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.pages.rendering import Keyset, keyset
from governance.operations.agreements import queries
from governance.operations.agreements.credits import percent
from governance.operations.agreements.models import (
    FROM_VENDOR,
    OPEN_STATES,
    TO_TENANT,
    Agreement,
    AgreementVersion,
)
from governance.operations.agreements.money import money
from governance.operations.agreements.place import Drawn, Place, inside
from governance.operations.agreements.version_page import day_of, version_context

TENANTS_PER_PAGE = 25
# ---- lists


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """An agreement as a row of a list."""

    agreement: Agreement
    now: AgreementVersion | None
    open: AgreementVersion | None
    count: int  # Commitments of the version in force

    @property
    def state(self) -> tuple[str, str]:
        if self.agreement.ended_at is not None and self.agreement.ended_at <= clock.now():
            return ("none", "Ended")
        if self.open is not None and self.open.state == "proposed":
            return ("due", f"Version {self.open.number} awaits acceptance")
        if self.now is not None:
            return ("ok", f"Version {self.now.number} in force")
        return ("none", f"Draft {self.open.number}" if self.open else "No version in force")

    @property
    def fee(self) -> str:
        shown = self.now or self.open
        return money(shown.monthly_fee, shown.currency) if shown else ""

    @property
    def cap(self) -> str:
        shown = self.now or self.open
        return percent(shown.credit_cap) if shown else ""

    @property
    def since(self) -> str:
        return day_of(self.now.effective_from, self.now) if self.now else ""


def lines_of(agreements: Sequence[Agreement]) -> list[AgreementLine]:
    """Build the rows of a list. Runs four statements for any number of agreements."""
    ids = [each.id for each in agreements]
    if not ids:
        return []
    accepted = queries.accepted_versions(ids)
    query = select(AgreementVersion).where(
        AgreementVersion.agreement_id.in_(ids), AgreementVersion.state.in_(OPEN_STATES)
    )
    opened = {
        each.agreement_id: each for each in session().scalars(query) if queries.is_visible(each)
    }
    at = clock.now()
    current = (
        (each.id, queries.current_version(each, accepted[each.id], at)) for each in agreements
    )
    now = {agreement_id: version for agreement_id, version in current if version is not None}
    parts = queries.parts_of([each.id for each in now.values()]) if now else {}
    return [
        AgreementLine(
            each,
            now.get(each.id),
            opened.get(each.id),
            len(parts[now[each.id].id].commitments) if each.id in now else 0,
        )
        for each in agreements
    ]


def _page_of(after: str | None) -> Keyset:
    return keyset(queries.visible(TO_TENANT), Agreement.number, after=after, descending=True)


def index(place: Place) -> Drawn:
    found = _page_of(request.args.get("after"))
    more = place.to("index", after=found.next) if found.next else None
    return Drawn("operations/agreements/index.html", {"lines": lines_of(found.rows), "more": more})


@dataclass(frozen=True, slots=True)
class TenantAgreements:
    """A tenant with its agreements, for the operator."""

    slug: str
    name: str
    lines: Sequence[AgreementLine]


def operator_index() -> Drawn:
    """List every tenant's agreements, 25 tenants per page, and vendors' on the first page."""
    after = request.args.get("after", "")
    every = [each for each in all_tenants() if each.status == "active"]
    own = [each for each in every if each.kind == "operator"]
    customers = [each for each in every if each.kind != "operator" and each.name > after]
    shown = customers[:TENANTS_PER_PAGE]
    groups, vendors = list[TenantAgreements](), list[TenantAgreements]()
    for tenant in [*shown, *([] if after else own)]:
        vendor = tenant.kind == "operator"
        with inside(tenant, read_only=True):
            direction = FROM_VENDOR if vendor else TO_TENANT
            query = queries.visible(direction)
            rows = session().scalars(query.order_by(Agreement.number.desc())).all()
            found = TenantAgreements(tenant.slug, tenant.name, lines_of(rows))
        (vendors if vendor else groups).append(found)
    more = shown[-1].name if len(customers) > len(shown) else None
    return Drawn(
        "operations/agreements/operator_index.html",
        {"groups": groups, "vendors": vendors, "more": more, "own": own[0].slug if own else None},
    )


# ---- one agreement


def agreement(_place: Place, agreement_id: UUID) -> Drawn:
    row, versions = queries.with_versions(agreement_id)
    asked = request.args.get("version", "")
    shown = next(
        (each for each in versions if asked.isdecimal() and each.number == int(asked)), None
    ) or _newest(versions)
    if shown is None:  # The other side is still drafting and has proposed nothing.
        return Drawn("operations/agreements/unproposed.html", {"agreement": row})
    return Drawn("operations/agreements/agreement.html", version_context(row, shown, versions))


def _newest(versions: Sequence[AgreementVersion]) -> AgreementVersion | None:
    """Choose the version that needs attention: proposed, then draft, accepted, withdrawn."""
    by_state = [
        each
        for wanted in ("proposed", "draft", "accepted", "withdrawn")
        for each in versions
        if each.state == wanted
    ]
    return by_state[0] if by_state else None
