"""The facts and minute counts of a month, read from the database as the input of a statement.

    gather(agreement, month)            an agreement with the acting tenant
    gather_vendor(versions, …)          a vendor's agreement, over the acting tenant's minutes

The data file freezes them, and everything else follows from them (statement_calculation.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.assurance.incidents import queries as incidents
from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel.data.db import session
from governance.kernel.intervals import MINUTE, Span
from governance.kernel.months import Month, ZonePeriod, month_span
from governance.operations.agreements import queries as agreements
from governance.operations.agreements.models import Agreement
from governance.operations.agreements.terms import decimal, fingerprint_of, instant
from governance.operations.maintenance import queries as maintenance
from governance.operations.maintenance.models import Exclusion
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.models import Indicator
from governance.operations.objectives import queries as objectives
from governance.operations.objectives.models import Objective
from governance.publishing.statements.minute_counts import MonthCounts, Tally, encode
from governance.publishing.statements.models import Dispute, Statement
from governance.publishing.statements.statement_calculation import DISPUTE, calculate, rule_of


@dataclass(frozen=True, slots=True)
class VersionInForce:
    """A version of an agreement and the span in which it is in force. `terms` are as accepted."""

    span: Span
    number: int
    terms: Mapping[str, Any]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """The facts of a month, the counts by indicator's key, and their tallies."""

    facts: dict[str, Any]
    counts: dict[str, MonthCounts]
    tallies: dict[str, Tally]
    span: Span

    def result(self) -> dict[str, Any]:
        """Return the statement. Raises the errors of `calculate`."""
        return calculate(self.facts, self.tallies)

    def indicators(self, *, with_minutes: bool) -> list[dict[str, Any]]:
        """Return the indicators with the sums of the month, and optionally with their minutes."""
        found = []
        for each in self.facts["indicators"]:
            key = each["key"]
            sums = self.tallies[key].counts([self.span])
            row = each | {"sums": [sums.minutes, sums.down, sums.good, sums.total]}
            if with_minutes:
                row["days"] = encode(self.counts[key], rule_of(each))
            found.append(row)
        return found


def pair(span: Span) -> list[str]:
    return [instant(span.start), instant(span.end)]


def span_of(month: Month) -> Span:
    """Return the month in the acting tenant's time zone."""
    return month_span(zone_periods(), month)


def gather(agreement: Agreement, month: Month, *, until: datetime | None = None) -> Gathered:
    """Read a month of an agreement with the acting tenant.

    `until` cuts off a month that is still running. Later minutes aren't part of the statement.
    """
    zones = zone_periods()
    whole = month_span(zones, month)
    span = Span(whole.start, max(whole.start + MINUTE, min(whole.end, until or whole.end)))
    versions = [
        VersionInForce(part, each.number, agreements.terms(each), each.fingerprint)
        for part, each in agreements.versions_in(agreement.id, span)
    ]
    measured = _Measured(zones, versions)
    return _gathered(
        agreement,
        month,
        zones,
        span,
        versions,
        measured,
        _support(versions),
        _accepted(agreement, span),
    )


class _Measured:
    """The indicators that each commitment measures, with their name and service hours."""

    def __init__(self, zones: Sequence[ZonePeriod], versions: Sequence[VersionInForce]) -> None:
        promises = [each for version in versions for each in version.terms["commitments"]]
        self.zones = zones
        self.objectives = objectives.objectives_by_id(_ids(promises, "objective_id"))
        ids = {each.indicator_id for each in self.objectives.values()}
        self.indicators = _indicators(ids | _ids(promises, "indicator_id"))

    def of(self, promise: Mapping[str, Any], span: Span) -> dict[str, Any]:
        objective = self.objectives.get(_id(promise, "objective_id"))
        if objective is None:
            indicator = self.indicators.get(_id(promise, "indicator_id"))
            name = promise["measures"] or (indicator.name if indicator else "")
            return _measure(name, [indicator] if indicator else [])
        measured = _measure(objective.name, [self.indicators[objective.indicator_id]])
        hours = self._hours(objective, span)
        return measured if hours is None else measured | {"hours": hours}

    def _hours(self, objective: Objective, span: Span) -> list[list[str]] | None:
        """Return the service hours of the objective as it was at the end of the span."""
        version = objectives.version_at(objective.id, span.end - MINUTE) or objective
        if version.hours is None:
            return None
        return [pair(each) for each in version.hours.spans(self.zones, span)]


def _measure(name: str, found: Sequence[Indicator]) -> dict[str, Any]:
    return {"name": name, "indicators": [each.key for each in found], "hours": None}


def _id(promise: Mapping[str, Any], name: str) -> UUID:
    return UUID(promise[name]) if promise[name] else UUID(int=0)


def _ids(promises: Iterable[Mapping[str, Any]], name: str) -> set[UUID]:
    return {UUID(each[name]) for each in promises if each[name]}


def _indicators(ids: Iterable[UUID]) -> dict[UUID, Indicator]:
    rows = session().scalars(select(Indicator).where(Indicator.id.in_(set(ids))))
    return {each.id: each for each in rows.all()}


def _support(versions: Sequence[VersionInForce]) -> list[dict[str, Any]]:
    """Count the incidents of each severity, and those answered in time, by version."""
    found = []
    for version in versions:
        if not version.terms["support"]:
            continue
        for severity, (count, in_time) in sorted(incidents.support_results(version.span).items()):
            row = {"version": version.number, "severity": severity}
            found.append(row | {"count": count, "in_time": in_time})
    return found


def _accepted(agreement: Agreement, span: Span) -> Sequence[Dispute]:
    """List the accepted disputes about minutes and exclusions of this span."""
    query = (
        select(Dispute)
        .join(Statement, Statement.id == Dispute.statement_id)
        .where(Statement.agreement_id == agreement.id, Dispute.state == "accepted")
        .where(Dispute.starts_at < span.end, Dispute.ends_at > span.start)
    )
    return session().scalars(query.order_by(Dispute.number)).all()


def incidents_of(gathered: Gathered) -> list[dict[str, Any]]:
    """Return the incidents of the month's indicators, with impact windows cut to the month.

    They explain lost minutes and change no figure, so they aren't among the facts: a later edit of
    an incident makes no revision.
    """
    query = select(Indicator.system_id, Indicator.key).where(Indicator.key.in_(gathered.counts))
    keys: dict[UUID, list[str]] = {}
    for system_id, key in session().execute(query.order_by(Indicator.key)):
        keys.setdefault(system_id, []).append(key)
    return [
        {
            "ref": each.ref,
            "from": instant(max(each.start, gathered.span.start)),
            "to": instant(min(each.end or gathered.span.end, gathered.span.end)),
            "indicators": keys[each.system_id],
        }
        for each in incidents.incidents_in(gathered.span)
        if each.system_id in keys
    ]


def gather_vendor(
    agreement: Mapping[str, Any], versions: Sequence[VersionInForce], month: Month, span: Span
) -> Gathered:
    """Read the same minutes for a vendor's agreement: the indicators that count its errors.

    The agreement is a row of the operator's tenant, so its parts come as values. The tenant's
    exclusions apply only to the promise to the tenant, so they hide nothing from the vendor's.
    """
    vendor = agreement["counterparty"]
    query = select(Indicator).where(Indicator.vendor == vendor).order_by(Indicator.key)
    mine = session().scalars(query).all()
    measured = _VendorMeasured(vendor, mine)
    return _gathered(agreement, month, zone_periods(), span, versions, measured, [], None)


class _VendorMeasured:
    """A vendor's commitment, which covers all indicators of its errors, or those of one kind."""

    def __init__(self, vendor: str, found: Sequence[Indicator]) -> None:
        self.vendor = vendor
        self.indicators = {each.id: each for each in found}

    def of(self, promise: Mapping[str, Any], _span: Span) -> dict[str, Any]:
        kinds = {each.kind for each in self.indicators.values()}
        kind = promise["vendor_kind"] or (kinds.pop() if len(kinds) == 1 else "downtime")
        found = [each for each in self.indicators.values() if each.kind == kind]
        return _measure(promise["measures"] or f"{self.vendor} · {kind}", found)


def _gathered(
    agreement: Agreement | Mapping[str, Any],
    month: Month,
    zones: Sequence[ZonePeriod],
    span: Span,
    versions: Sequence[VersionInForce],
    measured: "_Measured | _VendorMeasured",
    support: list[dict[str, Any]],
    disputes: Sequence[Dispute] | None,
) -> Gathered:
    rows: list[dict[str, Any]] = [
        {
            "number": each.number,
            "from": instant(each.span.start),
            "to": instant(each.span.end),
            "terms": dict(each.terms),
            "fingerprint": each.fingerprint or fingerprint_of(each.terms),
            "measured": {
                str(promise["clause"]): measured.of(promise, each.span)
                for promise in each.terms["commitments"]
            },
        }
        for each in versions
    ]
    used = {key for row in rows for each in row["measured"].values() for key in each["indicators"]}
    found = [each for each in measured.indicators.values() if each.key in used]
    found.sort(key=lambda each: each.key)
    facts: dict[str, Any] = {
        "month": str(month),
        "zones": [[instant(each.since), each.zone] for each in zones],
        "span": pair(span),
        "agreement": _named(agreement),
        "versions": rows,
        "indicators": [_indicator(each) for each in found],
        "exclusions": [] if disputes is None else _exclusions(span, found, disputes),
        "support": support,
    }
    counts = {each.key: _counts(each, span) for each in found}
    rules = {each["key"]: rule_of(each) for each in facts["indicators"]}
    tallies = {key: Tally(counts[key], rules[key]) for key in counts}
    return Gathered(facts, counts, tallies, span)


def _named(agreement: Agreement | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(agreement, Mapping):
        return dict(agreement)
    return named(agreement)


def named(agreement: Agreement) -> dict[str, Any]:
    """Return the facts about an agreement other than its terms."""
    return {
        "ref": agreement.ref,
        "name": agreement.name,
        "direction": agreement.direction,
        "counterparty": agreement.counterparty,
    }


def _indicator(row: Indicator) -> dict[str, Any]:
    return {
        "key": row.key,
        "name": row.name,
        "kind": row.kind,
        "unit": row.unit,
        "min_requests": row.min_requests,
        "floor": decimal(row.floor) if row.floor is not None else "0",
        "bound": decimal(row.bound) if row.bound is not None else None,
        "bound_unit": row.bound_unit,
    }


def _counts(indicator: Indicator, span: Span) -> MonthCounts:
    rows = measurements.minute_rows(indicator.id, span)
    return MonthCounts.of(span, ((at, good, total) for at, good, total, _down in rows))


def _exclusions(
    span: Span, found: Sequence[Indicator], disputes: Sequence[Dispute]
) -> list[dict[str, Any]]:
    """Return every approved exclusion of the month, and minutes that an accepted dispute leaves out.

    `why_not_counted` decides from these facts which of them count.
    """
    approved = maintenance.approved_in(span)
    keys: dict[tuple[str, Span], list[str]] = {}
    of: dict[tuple[str, Span], Exclusion] = {}
    for one in found:
        for each in maintenance.expand(
            approved, span, system_id=one.system_id, indicator_id=one.id
        ):
            place = (each.exclusion.ref, each.span)
            of[place] = each.exclusion
            keys.setdefault(place, []).append(one.key)
    overruled = {
        (each.exclusion, instant(each.starts_at)): each.ref
        for each in disputes
        if each.kind == "exclusion"
    }
    rows = [
        {
            "ref": ref,
            "title": of[ref, its].title,
            "category": of[ref, its].category,
            "from": instant(its.start),
            "to": instant(its.end),
            "announced_at": instant(of[ref, its].announced_at),
            "indicators": keys[ref, its],
            "overruled_by": overruled.get((ref, instant(its.start))),
        }
        for ref, its in keys
    ]
    rows += [disputed(each) for each in disputes if each.kind == "minutes"]
    return sorted(rows, key=lambda row: (row["from"], row["ref"]))


def disputed(dispute: Dispute) -> dict[str, Any]:
    """Return the minutes of an accepted dispute, as an exclusion that always counts."""
    return {
        "ref": dispute.ref,
        "title": "Minutes left out by an accepted dispute",
        "category": DISPUTE,
        "from": instant(dispute.starts_at),
        "to": instant(dispute.ends_at),
        "announced_at": None,
        "indicators": [dispute.indicator],
        "overruled_by": None,
    }
