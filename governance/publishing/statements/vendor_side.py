"""The same minutes under the vendors' agreements: the recoverable amount and its deadline.

    vendor_agreements(span)            in the operator's tenant: agreements and their versions
    sides(agreements, month, span)     in the customer's tenant: what each vendor owes

Agreements with vendors are rows of the operator's tenant, and minutes are rows of the customer's.
Values are passed from one to the other, and only the operator's pages show them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from governance.kernel.intervals import Span
from governance.kernel.months import Month
from governance.operations.agreements import queries as agreements
from governance.operations.agreements.models import FROM_VENDOR
from governance.publishing.statements import closing, statement_facts
from governance.publishing.statements.minute_counts import Tally
from governance.publishing.statements.statement_calculation import read_span
from governance.publishing.statements.statement_facts import VersionInForce


@dataclass(frozen=True, slots=True)
class VendorAgreement:
    """An agreement from a vendor, with the versions in force in a span."""

    id: UUID
    named: Mapping[str, Any]
    versions: Sequence[VersionInForce]

    @property
    def claim_days(self) -> int:
        return int(self.versions[-1].terms["claim_days"])


@dataclass(frozen=True, slots=True)
class VendorSide:
    """The credit that a vendor owes for the minutes of one tenant's month."""

    agreement: VendorAgreement
    facts: Mapping[str, Any]
    result: Mapping[str, Any]
    periods: Sequence[Mapping[str, Any]]
    deadline: datetime

    @property
    def vendor(self) -> str:
        return str(self.agreement.named["counterparty"])

    @property
    def amount(self) -> int:
        return int(self.result["credit"])

    @property
    def errors(self) -> int:
        return sum(each["errors"] for each in self.periods)

    @property
    def minutes(self) -> int:
        return sum(each["minutes"] for each in self.periods)


def vendor_agreements(span: Span) -> list[VendorAgreement]:
    """List the acting tenant's agreements from vendors that are in force in the span."""
    return [
        VendorAgreement(
            agreement.id,
            statement_facts.named(agreement),
            [
                VersionInForce(part, each.number, agreements.terms(each), each.fingerprint)
                for part, each in parts
            ],
        )
        for agreement, parts in agreements.in_force_during(span, FROM_VENDOR)
    ]


def with_bill(found: VendorAgreement, bill: int) -> VendorAgreement:
    """Return the agreement with the vendor's bill of the month as its fee, split as in the terms."""
    versions = []
    for each in found.versions:
        fee = each.terms["monthly_fee"]
        promises = [
            promise
            | {"fee_part": round(Fraction(bill * promise["fee_part"], fee)) if fee else bill}
            for promise in each.terms["commitments"]
        ]
        terms = {**each.terms, "monthly_fee": bill, "commitments": promises}
        versions.append(VersionInForce(each.span, each.number, terms, each.fingerprint))
    return VendorAgreement(found.id, found.named, versions)


def sides(found: Sequence[VendorAgreement], month: Month, span: Span) -> list[VendorSide]:
    """List what each vendor owes for the acting tenant's minutes.

    Vendors without minutes are omitted.
    """
    sides = []
    for each in found:
        gathered = statement_facts.gather_vendor(each.named, each.versions, month, span)
        if not gathered.facts["indicators"]:
            continue
        notes = closing.notes_of(gathered.facts, gathered.counts)
        sides.append(
            VendorSide(
                each,
                {**gathered.facts, "notes": notes},
                gathered.result(),
                periods(gathered.facts, notes, gathered.tallies),
                span.end + timedelta(days=each.claim_days),
            )
        )
    return sides


def periods(
    facts: Mapping[str, Any], notes: Mapping[str, Any], tallies: Mapping[str, Tally]
) -> list[dict[str, Any]]:
    """Return each period of errors with its instants in UTC, its minutes and its errors."""
    rows = []
    for each in facts["indicators"]:
        its = notes[each["key"]]
        for start, end in its["down"] or its["lost"]:
            span = read_span([start, end])
            counts = tallies[each["key"]].counts([span])
            rows.append(
                {
                    "indicator": each["key"],
                    "from": start,
                    "to": end,
                    "minutes": span.minutes,
                    "requests": counts.total,
                    "errors": counts.total - counts.good,
                }
            )
    return sorted(rows, key=lambda row: (row["from"], row["indicator"]))
