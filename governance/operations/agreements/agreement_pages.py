"""Reading pages: the list of agreements, one agreement with its versions, its terms as a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import request
from sqlalchemy import select

from governance.foundation.people import queries as people
from governance.foundation.tenants.queries import all_tenants
from governance.kernel import clock
from governance.kernel.db import session
from governance.kernel.formatting import long_day
from governance.kernel.intervals import Span
from governance.kernel.pages import Keyset, keyset, table_file
from governance.kernel.spreadsheet_writer import csv_bytes
from governance.kernel.web import ResponseReturnValue
from governance.operations.agreements import measured, queries
from governance.operations.agreements.acceptance_actions import needed_sides
from governance.operations.agreements.band_chart import band_chart, bands_title
from governance.operations.agreements.credits import percent, read_bands
from governance.operations.agreements.drafts import (
    CATEGORIES,
    clock_text,
    differences,
    hours_text,
    minutes_text,
)
from governance.operations.agreements.forms import AcceptForm, ReturnForm, SignatureForm
from governance.operations.agreements.models import (
    FROM_VENDOR,
    OPEN_STATES,
    TO_TENANT,
    Agreement,
    AgreementVersion,
)
from governance.operations.agreements.money import money, plain_amount
from governance.operations.agreements.place import Drawn, Place, inside
from governance.operations.agreements.terms import terms_of
from governance.operations.objectives.figures import exact_percent

SIDES = {"provider": "Provider", "customer": "Customer", "vendor": "Vendor"}
STATES = {
    "draft": ("none", "Draft"),
    "proposed": ("due", "Awaiting acceptance"),
    "accepted": ("ok", "Accepted"),
    "withdrawn": ("none", "Withdrawn"),
}
TENANTS_PER_PAGE = 25
VENDOR_KIND_NAMES = {
    None: "every indicator of this vendor",
    "downtime": "the vendor's downtime indicators",
    "ratio": "the vendor's ratio indicators",
    "threshold": "the vendor's threshold indicators",
}


def day_of(at: datetime, version: AgreementVersion) -> str:
    """An instant as a day in the agreement's own zone: "1 October 2026"."""
    local = at.astimezone(ZoneInfo(version.time_zone))
    return long_day(local.date()) + (f", {local:%H:%M}" if (local.hour or local.minute) else "")


# ---- lists


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """An agreement as a row of a list."""

    agreement: Agreement
    now: AgreementVersion | None
    open: AgreementVersion | None
    count: int  # commitments of the version in force

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
    """Rows of a list; four statements for any number of agreements."""
    ids = [each.id for each in agreements]
    accepted = queries.accepted_versions(ids)
    query = select(AgreementVersion).where(
        AgreementVersion.agreement_id.in_(ids), AgreementVersion.state.in_(OPEN_STATES)
    )
    opened = {
        each.agreement_id: each for each in session().scalars(query) if queries.is_visible(each)
    }
    at = clock.now().replace(second=0, microsecond=0)
    minute = Span(at, at + timedelta(minutes=1))
    now = {
        each.id: version
        for each in agreements
        for _span, version in queries.in_force(each, accepted[each.id], minute)
    }
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
    """Every tenant's agreements, 25 tenants a page, and those with vendors on the first."""
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
    row = queries.agreement(agreement_id)
    versions = queries.versions(agreement_id)
    asked = request.args.get("version", "")
    shown = next(
        (each for each in versions if asked.isdecimal() and each.number == int(asked)), None
    ) or _newest(versions)
    if shown is None:  # only the other side drafts, and nothing was proposed
        return Drawn("operations/agreements/unproposed.html", {"agreement": row})
    return Drawn("operations/agreements/agreement.html", shown_version(row, shown, versions))


def _newest(versions: Sequence[AgreementVersion]) -> AgreementVersion | None:
    """What needs attention: a proposal or draft, else the newest accepted version."""
    by_state = [
        each
        for wanted in ("proposed", "draft", "accepted", "withdrawn")
        for each in versions
        if each.state == wanted
    ]
    return by_state[0] if by_state else None


def shown_version(
    row: Agreement, version: AgreementVersion, versions: Sequence[AgreementVersion], **forms: Any
) -> dict[str, Any]:
    """The context of an agreement's page; `forms` are refused ones to show again."""
    parts = queries.parts(version.id)
    what = measured.of(parts.commitments)
    before = _before(version, versions)
    terms = version.terms or terms_of(
        row, version, parts.commitments, parts.support, measured.names(parts.commitments)
    )
    given = queries.acceptances([version.id])[version.id]
    accepted = [each for each in versions if each.state == "accepted"]
    at = clock.now().replace(second=0, microsecond=0)
    return {
        "agreement": row,
        "version": version,
        "versions": versions,
        "state": STATES[version.state],
        "states": STATES,
        "commitments": [
            {
                "row": each,
                "name": what[each.id].name
                if each.id in what
                else VENDOR_KIND_NAMES[each.vendor_kind],
                "unit": what[each.id].indicator.kind_name if each.id in what else "vendor",
                "objective": each.objective_id,
                "target": exact_percent(each.target),
                "fee": money(each.fee_part, version.currency),
                "chart": band_chart(bands := read_bands(each.bands), bands_title(bands)),
                "bands": [(percent(b.below), percent(b.share)) for b in bands],
            }
            for each in parts.commitments
        ],
        "support": [
            {
                "row": each,
                "response": minutes_text(each.response_minutes),
                "resolution": minutes_text(each.resolution_minutes or 0),
                "clock": clock_text(each.clock),
                "target": exact_percent(each.target),
                "bands": [(percent(b.below), percent(b.share)) for b in read_bands(each.bands)],
                "fee": money(each.fee_part, version.currency),
            }
            for each in parts.support
        ],
        "changes": differences(before, terms) if before else [],
        "compared": before["version"] if before else None,
        "given": {each.side: each for each in given},
        "needed": [side for side in SIDES if side in needed_sides(row)],
        "sides": SIDES,
        "my_side": "customer" if row.direction == FROM_VENDOR else queries.acting_side(),
        "is_own": queries.acting_side() in {None, version.side},
        "names": people.names([version.drafted_by, version.proposed_by, row.created_by]),
        "moments": people.timeline([row.id, version.id], limit=12),
        "contacts": queries.contacts(row.id),
        "fee": money(version.monthly_fee, version.currency),
        "cap": percent(version.credit_cap),
        "cap_money": money(
            round(Fraction(version.credit_cap) * version.monthly_fee), version.currency
        ),
        "coverage": percent(version.minimum_coverage),
        "excluded": [CATEGORIES[each] for each in version.excluded_categories],
        "hours": hours_text(version.business_hours),
        "starts": day_of(version.effective_from, version),
        "day_of": day_of,
        "in_force": any(v.id == version.id for _, v in _now(row, accepted, at)),
        "can_draft": not any(v.state in OPEN_STATES for v in versions)
        and queries.open_version(row.id) is None,
        "is_ended": row.ended_at is not None and row.ended_at <= clock.now(),
        "accept_form": forms.get("accept") or AcceptForm(),
        "return_form": forms.get("back") or ReturnForm(),
        "signature_form": forms.get("signature") or SignatureForm(),
        "refused": next(iter(forms.values()), None),
    }


def _now(
    row: Agreement, accepted: Sequence[AgreementVersion], at: datetime
) -> list[tuple[Span, AgreementVersion]]:
    ordered = sorted(accepted, key=lambda each: each.effective_from)
    return queries.in_force(row, ordered, Span(at, at + timedelta(minutes=1)))


def _before(
    version: AgreementVersion, versions: Sequence[AgreementVersion]
) -> dict[str, Any] | None:
    """The terms of the accepted version before this one."""
    earlier = [v for v in versions if v.state == "accepted" and v.number < version.number]
    newest = max(earlier, key=lambda each: each.number, default=None)
    return newest.terms if newest else None


# ---- the terms as a file


def terms_csv(_place: Place, agreement_id: UUID, number: int) -> ResponseReturnValue:
    version = queries.numbered(agreement_id, number)
    row = queries.agreement(agreement_id)
    parts = queries.parts(version.id)
    names = measured.names(parts.commitments)
    terms = version.terms or terms_of(row, version, parts.commitments, parts.support, names)
    content = csv_bytes(("term", "value"), _term_rows(terms))
    return table_file(content, f"{row.ref.lower()}-v{number}-terms.csv")


def _term_rows(terms: dict[str, Any]) -> Iterator[tuple[str, str]]:
    currency = terms["currency"]
    plain = (
        "agreement",
        "name",
        "counterparty",
        "version",
        "effective_from",
        "ends_on",
        "time_zone",
        "currency",
        "credit_cap",
        "minimum_coverage",
        "close_day",
        "maintenance_notice_hours",
        "claim_days",
    )
    for name in plain:
        yield name, str(terms[name] if terms[name] is not None else "")
    yield "monthly_fee", plain_amount(terms["monthly_fee"], currency)
    yield "excluded_categories", " ".join(terms["excluded_categories"])
    yield "business_hours", hours_text(terms["business_hours"])
    for each in terms["commitments"]:
        lead = f"commitment {each['clause']}"
        yield f"{lead} measures", each["measures"] or each["vendor_kind"] or "every indicator"
        yield f"{lead} target", each["target"]
        yield f"{lead} fee part", plain_amount(each["fee_part"], currency)
        for n, (below, share) in enumerate(each["bands"], 1):
            yield f"{lead} band {n}", f"below {below}: {share}"
    for each in terms["support"]:
        lead = f"support severity {each['severity']}"
        yield f"{lead} response minutes", str(each["response_minutes"])
        yield f"{lead} resolution minutes", str(each["resolution_minutes"] or "")
        yield f"{lead} clock", each["clock"]
        yield f"{lead} target", each["target"]
        for n, (below, share) in enumerate(each["bands"], 1):
            yield f"{lead} band {n}", f"below {below}: {share}"
