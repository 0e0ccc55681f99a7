"""The content of a draft, and the rules that every writer of one follows.

Content                        all terms of a version, before they are rows
check_content(content)         raises Invalid, about the form's field that is wrong
content_of(version, parts)     the content of an existing version, to copy or to edit
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from governance.kernel.errors import Invalid
from governance.kernel.formatting import long_day
from governance.operations.agreements.business_time import DAY_NAMES, Calendar
from governance.operations.agreements.credits import check_bands, percent, read_bands
from governance.operations.agreements.models import (
    AgreementVersion,
    Commitment,
    SupportTerm,
)
from governance.operations.agreements.money import DIGITS, money
from governance.operations.agreements.queries import Parts

CATEGORIES = {
    "maintenance": "Maintenance",
    "customer_caused": "Customer-caused",
    "force_majeure": "Force majeure",
}
VENDOR_KINDS = ("downtime", "ratio", "threshold")
MAX_COMMITMENTS = 40
MAX_CLOSE_DAY = 28
MAX_NOTICE_HOURS = 24 * 60
MAX_CLAIM_DAYS = 366
MAX_LIMIT_MINUTES = 60 * 24 * 60

type Bands = list[list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentContent:
    """One promise. `vendor` marks a vendor's promise, which names none of our objectives."""

    target: Decimal
    bands: Bands
    fee_part: int
    objective_id: UUID | None = None
    indicator_id: UUID | None = None
    vendor: bool = False
    vendor_kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportContent:
    """Response and resolution times of one severity."""

    severity: int
    response_minutes: int
    resolution_minutes: int | None
    clock: str
    target: Decimal
    bands: Bands
    fee_part: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All terms of a version."""

    effective_from: datetime
    time_zone: str
    currency: str
    monthly_fee: int
    credit_cap: Decimal
    minimum_coverage: Decimal
    close_day: int
    maintenance_notice_hours: int
    excluded_categories: tuple[str, ...]
    claim_days: int
    business_hours: dict[str, Any]
    commitments: tuple[CommitmentContent, ...] = ()
    support: tuple[SupportContent, ...] = ()
    ends_on: date | None = None


FIELDS = (
    "effective_from",
    "ends_on",
    "time_zone",
    "currency",
    "monthly_fee",
    "credit_cap",
    "minimum_coverage",
    "close_day",
    "maintenance_notice_hours",
    "claim_days",
    "business_hours",
)


def check_content(content: Content) -> None:
    """Raise Invalid for terms that contradict themselves; see the fields of the draft's form."""
    Calendar.from_json(content.business_hours)
    if content.currency not in DIGITS:
        raise Invalid(f"Choose one of {', '.join(DIGITS)}.", field="currency")
    _within(content.close_day, 1, MAX_CLOSE_DAY, "day", "close_day")
    _within(content.maintenance_notice_hours, 0, MAX_NOTICE_HOURS, "hours", "notice_hours")
    _within(content.claim_days, 0, MAX_CLAIM_DAYS, "days", "claim_days")
    if unknown := set(content.excluded_categories) - CATEGORIES.keys():
        raise Invalid(f"{min(unknown)} is no category of exclusions.", field="categories")
    for name, field in (("credit_cap", "cap"), ("minimum_coverage", "coverage")):
        if not 0 <= getattr(content, name) <= 1:
            raise Invalid("Enter a share from 0% to 100%.", field=field)
    if content.effective_from.second or content.effective_from.microsecond:
        raise Invalid("A version takes effect on a whole minute.", field="effective_from")
    if content.ends_on is not None and content.ends_on < _local_day(content):
        raise Invalid("The term ends before this version takes effect.", field="ends_on")
    if len(content.commitments) > MAX_COMMITMENTS:
        raise Invalid(f"An agreement has up to {MAX_COMMITMENTS} commitments.", field="c0_target")
    for row, each in enumerate(content.commitments):
        _check_commitment(each, content, row)
    for term in content.support:
        _check_support(term, content)


def _local_day(content: Content) -> date:
    return content.effective_from.astimezone(ZoneInfo(content.time_zone)).date()


def _within(value: int, least: int, most: int, unit: str, field: str) -> None:
    if not least <= value <= most:
        raise Invalid(f"Enter a number from {least} to {most:,} ({unit}).", field=field)


def _check_commitment(each: CommitmentContent, content: Content, row: int) -> None:
    name, prefix = f"Commitment {row + 1}", f"c{row}"
    if each.vendor:
        if each.objective_id or each.indicator_id:
            raise Invalid(
                f"{name}: a vendor's commitment covers the indicators that count its errors, not"
                " an objective of yours.",
                field=f"{prefix}_measures",
            )
        if each.vendor_kind is not None and each.vendor_kind not in VENDOR_KINDS:
            raise Invalid(f"{name}: choose a kind of indicator.", field=f"{prefix}_measures")
    elif (each.objective_id is None) == (each.indicator_id is None):
        raise Invalid(f"{name}: choose an objective or an indicator.", field=f"{prefix}_measures")
    if not 0 < each.target <= 1:
        raise Invalid(f"{name}: enter a target above 0% and up to 100%.", field=f"{prefix}_target")
    if each.fee_part > content.monthly_fee:
        raise Invalid(
            f"{name}: its part of the fee, {money(each.fee_part, content.currency)}, is more than"
            f" the month's fee, {money(content.monthly_fee, content.currency)}.",
            field=f"{prefix}_fee",
        )
    _bands(each.bands, each.target, name, f"{prefix}_b0_below")


def _check_support(term: SupportContent, content: Content) -> None:
    name, prefix = f"Severity {term.severity}", f"s{term.severity}"
    if not 1 <= term.severity <= 4:  # noqa: PLR2004 - SEV1 to SEV4
        raise Invalid("A severity is a number from 1 to 4.", field="s1_response")
    _within(term.response_minutes, 1, MAX_LIMIT_MINUTES, "minutes", f"{prefix}_response")
    if term.resolution_minutes is not None:
        _within(term.resolution_minutes, 1, MAX_LIMIT_MINUTES, "minutes", f"{prefix}_resolution")
        if term.resolution_minutes < term.response_minutes:
            raise Invalid(
                f"{name}: the resolution time is shorter than the response time.",
                field=f"{prefix}_resolution",
            )
    if term.clock not in {"business_hours", "24x7"}:
        raise Invalid(
            f"{name}: choose business hours or around the clock.", field=f"{prefix}_clock"
        )
    if not 0 < term.target <= 1:
        raise Invalid(f"{name}: enter a target above 0%.", field=f"{prefix}_target")
    if term.fee_part > content.monthly_fee:
        raise Invalid(
            f"{name}: its part of the fee is more than the month's fee.", field=f"{prefix}_fee"
        )
    _bands(term.bands, term.target, name, f"{prefix}_b0_below")


def _bands(bands: Bands, target: Decimal, what: str, field: str) -> None:
    try:
        read = read_bands(bands)
    except ValueError as error:
        raise Invalid(f"{what}: {error}.", field=field) from error
    check_bands(read, Fraction(target), what=what, field=field)


def content_of(version: AgreementVersion, parts: Parts, *, is_vendor: bool) -> Content:
    """Return the terms of an existing version as content."""
    return Content(
        **{name: getattr(version, name) for name in FIELDS},
        excluded_categories=tuple(version.excluded_categories),
        commitments=tuple(_of_commitment(each, is_vendor) for each in parts.commitments),
        support=tuple(_of_support(each) for each in parts.support),
    )


def _of_commitment(row: Commitment, is_vendor: bool) -> CommitmentContent:  # noqa: FBT001
    return CommitmentContent(
        target=row.target,
        bands=[list(each) for each in row.bands],
        fee_part=row.fee_part,
        objective_id=row.objective_id,
        indicator_id=row.indicator_id,
        vendor=is_vendor,
        vendor_kind=row.vendor_kind,
    )


def _of_support(row: SupportTerm) -> SupportContent:
    return SupportContent(
        severity=row.severity,
        response_minutes=row.response_minutes,
        resolution_minutes=row.resolution_minutes,
        clock=row.clock,
        target=row.target,
        bands=[list(each) for each in row.bands],
        fee_part=row.fee_part,
    )


# ---- differences


def differences(before: dict[str, Any] | None, after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return (label, before, after) for each term that differs, as people read it."""
    old, new = (_lines(before) if before else {}), _lines(after)
    names = [*new, *(name for name in old if name not in new)]
    return [(n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n)]


def _lines(terms: dict[str, Any]) -> dict[str, str]:
    currency = terms["currency"]
    found = {
        "Effective from": _local(terms["effective_from"], terms["time_zone"]),
        "Term ends": terms["ends_on"] or "open-ended",
        "Time zone": terms["time_zone"],
        "Monthly fee": money(terms["monthly_fee"], currency),
        "Credit cap": _share(terms["credit_cap"]),
        "Minimum coverage": _share(terms["minimum_coverage"]),
        "Month closes on": f"day {terms['close_day']}",
        "Maintenance notice": f"{terms['maintenance_notice_hours']} hours",
        "Excluded": ", ".join(CATEGORIES.get(c, c) for c in terms["excluded_categories"])
        or "nothing",
        "Claims": f"within {terms['claim_days']} days",
        "Business hours": hours_text(terms["business_hours"]),
    }
    for each in terms["commitments"]:
        found[f"Commitment {each['clause']}"] = (
            f"{each['measures'] or each['vendor_kind'] or 'every indicator'}:"
            f" {_share(each['target'])}; {bands_text(each['bands'])};"
            f" {money(each['fee_part'], currency)} a month"
        )
    for each in terms["support"]:
        resolves = each["resolution_minutes"]
        found[f"Support SEV{each['severity']}"] = (
            f"response {minutes_text(each['response_minutes'])},"
            f" resolution {minutes_text(resolves) if resolves else 'not promised'},"
            f" {clock_text(each['clock'])}; {_share(each['target'])} in time;"
            f" {bands_text(each['bands'])}"
        )
    return found


def _local(at: str, zone: str) -> str:
    """Format an instant in the agreement's own zone: "1 January 2027"."""
    local = datetime.fromisoformat(at).astimezone(ZoneInfo(zone))
    return long_day(local.date()) + (f", {local:%H:%M}" if (local.hour or local.minute) else "")


def _share(text: str) -> str:
    return percent(Fraction(text))


def bands_text(bands: Bands) -> str:
    """Write "below 99.9% → 10%, below 99% → 25%", or "no credit"."""
    return (
        ", ".join(f"below {_share(below)} → {_share(share)}" for below, share in bands)
        or "no credit"
    )


def minutes_text(minutes: int) -> str:
    """Write "30 min", "4 h" or "2 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    return " ".join(filter(None, [f"{hours} h" if hours else "", f"{rest} min" if rest else ""]))


def clock_text(clock: str) -> str:
    return "around the clock" if clock == "24x7" else "business hours"


def _days_text(days: Sequence[str]) -> str:
    """Write "Mon", or "Mon to Fri" for days in a row."""
    ends = [days[0], days[-1]] if len(days) > 1 else days
    return " to ".join(day.capitalize() for day in ends)


def hours_text(calendar: dict[str, Any]) -> str:
    """Write "Mon to Thu 09:00 to 17:00, Fri …; Europe/Berlin; holidays DE-BE"."""
    hours = calendar.get("hours", {})
    days = ", ".join(
        f"{_days_text([*run])} {' and '.join(' to '.join(span) for span in spans)}"
        for spans, run in groupby(DAY_NAMES, key=lambda day: hours.get(day) or [])
        if spans
    )
    where = "-".join(filter(None, [calendar.get("country"), calendar.get("subdivision")]))
    own = calendar.get("own_days") or []
    holidays = " and ".join(
        filter(None, [f"holidays {where}" if where else "", f"{len(own)} own days" if own else ""])
    )
    return "; ".join(filter(None, [days, calendar.get("zone", ""), holidays or "no holidays"]))
