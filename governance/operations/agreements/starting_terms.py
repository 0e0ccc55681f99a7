"""Starting terms per policy tier: our own data, to be edited before anyone signs.

Bands follow the target: a bound is 1 - k (1 - target), so a bound of k = 5 is reached when five
times the allowed error has happened. With 99.9% and k = 10 that is 99.0%, as cloud providers write.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from governance.operations.agreements.drafts import (
    CommitmentContent,
    Content,
    SupportContent,
)

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
EVERY_DAY = (*WORKDAYS, "sat", "sun")


@dataclass(frozen=True, slots=True)
class StartingTerms:
    """One set of terms. `bands` are (k, credit share); `support` is minutes by severity."""

    key: str
    name: str
    means: str
    bands: Sequence[tuple[int, str]]
    credit_cap: str
    minimum_coverage: str
    notice_hours: int
    claim_days: int
    close_day: int
    hours: Sequence[str]
    support: Sequence[tuple[int, int | None, str]]
    support_target: str


STARTING_TERMS = {
    each.key: each
    for each in (
        StartingTerms(
            "standard",
            "Standard",
            "Two bands, a cap of 15% of the fee, support in business hours.",
            ((1, "0.05"), (5, "0.1")),
            "0.15",
            "0.9",
            48,
            30,
            5,
            WORKDAYS,
            (
                (60, 480, "business_hours"),
                (240, 1440, "business_hours"),
                (480, None, "business_hours"),
                (960, None, "business_hours"),
            ),
            "0.9",
        ),
        StartingTerms(
            "strict",
            "Strict",
            "Three bands, a cap of 30% of the fee, SEV1 answered around the clock.",
            ((1, "0.1"), (5, "0.25"), (10, "0.5")),
            "0.3",
            "0.95",
            72,
            30,
            3,
            WORKDAYS,
            (
                (30, 240, "24x7"),
                (60, 480, "business_hours"),
                (240, 1440, "business_hours"),
                (480, None, "business_hours"),
            ),
            "0.95",
        ),
        StartingTerms(
            "regulated",
            "Regulated",
            "Credits up to the whole fee, every severity answered around the clock.",
            ((1, "0.1"), (5, "0.25"), (10, "0.5"), (50, "1")),
            "1",
            "0.98",
            120,
            60,
            3,
            EVERY_DAY,
            (
                (15, 120, "24x7"),
                (30, 240, "24x7"),
                (120, 720, "24x7"),
                (240, 1440, "24x7"),
            ),
            "0.99",
        ),
    )
}
DEFAULT = "standard"


def terms_for_tier(tier: str) -> StartingTerms:
    """Return the terms of a policy tier, or those of Standard for the operator's own tiers."""
    return STARTING_TERMS.get(tier, STARTING_TERMS[DEFAULT])


def bands_for(terms: StartingTerms, target: Decimal) -> list[list[str]]:
    """Return the bands of a target in stored form; bounds at or below zero are left out."""
    error = 1 - target
    bounds = ((1 - k * error, share) for k, share in terms.bands)
    return [[exact_share(bound), share] for bound, share in bounds if 0 < bound < 1]


def exact_share(value: Decimal) -> str:
    """Format a decimal without trailing zeros: "0.995"."""
    return f"{value.normalize():f}"


def starting_content(
    terms: StartingTerms,
    *,
    effective_from: datetime,
    time_zone: str,
    currency: str,
    monthly_fee: int,
    promises: Sequence[CommitmentContent],
    country: str = "",
) -> Content:
    """Build a first draft.

    `promises` get this tier's bands by their targets, and all of the fee.
    """
    calendar: dict[str, Any] = {
        "zone": time_zone,
        "hours": {
            day: [["09:00", "17:00"]] if len(terms.hours) == len(WORKDAYS) else [["00:00", "24:00"]]
            for day in terms.hours
        },
        "country": country,
        "subdivision": "",
        "own_days": [],
    }
    return Content(
        effective_from=effective_from,
        time_zone=time_zone,
        currency=currency,
        monthly_fee=monthly_fee,
        credit_cap=Decimal(terms.credit_cap),
        minimum_coverage=Decimal(terms.minimum_coverage),
        close_day=terms.close_day,
        maintenance_notice_hours=terms.notice_hours,
        excluded_categories=("customer_caused", "force_majeure", "maintenance"),
        claim_days=terms.claim_days,
        business_hours=calendar,
        commitments=tuple(
            CommitmentContent(
                target=each.target,
                bands=bands_for(terms, each.target),
                fee_part=each.fee_part or monthly_fee,
                objective_id=each.objective_id,
                indicator_id=each.indicator_id,
                vendor=each.vendor,
                vendor_kind=each.vendor_kind,
            )
            for each in promises
        ),
        support=tuple(
            SupportContent(
                severity=severity,
                response_minutes=response,
                resolution_minutes=resolution,
                clock=clock,
                target=Decimal(terms.support_target),
                bands=[],
                fee_part=0,
            )
            for severity, (response, resolution, clock) in enumerate(terms.support, 1)
        ),
    )
