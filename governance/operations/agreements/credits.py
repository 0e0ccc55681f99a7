"""Service credits, in exact arithmetic: bands, the month's cap, months split by a new version.

Pure: no database, no clock, no floats. `governance verify-statement` recomputes credits with these
functions.

    share_for(attained, bands)   the share of the fee part that is due
    credit_line(…)               one commitment in one part of a month
    month_credit(lines, parts)   their sum under the cap

A month in which two versions are in force has two parts, split at the minute in which the later
version takes effect. Each part is scored on its own minutes, under its own version, and takes its
credit from the fee part times (minutes of the part ÷ minutes of the month). See
docs/decisions/0051-credit-of-a-split-month.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import NamedTuple

from governance.kernel.errors import Invalid

MAX_BANDS = 8
MAX_DECIMALS = 10  # Decimals, as in models.SHARE


class Band(NamedTuple):
    """A credit band: below an attainment, that share of the fee part is credited."""

    below: Fraction
    share: Fraction


def share_for(attained: Fraction, bands: Sequence[Band]) -> Fraction:
    """Return the share due in the lowest band that attainment is below, or 0 if it is below none.

    The comparison is exact. Attained 99.9% is not below 99.9%: rounding comes later, and only for
    display (AWS Bedrock's bands in design/sla.md §9).
    """
    due = Fraction(0)
    for band in bands:
        if attained < band.below:
            due = max(due, band.share)
    return due


def band_for(attained: Fraction, bands: Sequence[Band]) -> Band | None:
    """Return the band that applies, or None when no credit is due."""
    lower = [band for band in bands if attained < band.below]
    return min(lower) if lower else None


def read_share(text: str | Decimal | int) -> Fraction:
    """Parse an exact share from 0 to 1 with at most ten decimals. Raises ValueError otherwise."""
    try:
        value = Decimal(text)
    except (InvalidOperation, ValueError) as error:
        raise ValueError(f"{text!r} is not a number") from error
    if not value.is_finite() or not 0 <= value <= 1:
        raise ValueError(f"{text} is not a share from 0 to 1")
    if value != round(value, MAX_DECIMALS):
        raise ValueError(f"{text} has more than {MAX_DECIMALS} decimals")
    return Fraction(value)


def read_bands(rows: Iterable[Sequence[str]]) -> list[Band]:
    """Read bands from JSON: [["0.999", "0.1"], …]."""
    return [Band(read_share(below), read_share(share)) for below, share in rows]


def check_bands(
    bands: Sequence[Band], target: Fraction, *, what: str = "", field: str = ""
) -> None:
    """Raise Invalid, naming the row, unless bounds descend from the target and credits rise.

    `what` begins the sentence, such as "Commitment 2"; `field` is the form's field.
    """
    lead = f"{what}, band" if what else "Band"

    def refuse(row: int, why: str) -> None:
        raise Invalid(f"{lead} {row}: {why}", field=field or None)

    if len(bands) > MAX_BANDS:
        refuse(MAX_BANDS + 1, f"a commitment has up to {MAX_BANDS} bands. Remove this one.")
    for row, band in enumerate(bands, 1):
        if not 0 < band.below <= 1:
            refuse(row, "enter a bound above 0% and up to 100%.")
        if not 0 < band.share <= 1:
            refuse(row, "enter a credit above 0% and up to 100%.")
        if row == 1 and band.below > target:
            refuse(
                row,
                f"the bound {percent(band.below)} is above the target {percent(target)}, so a kept"
                " promise would cost a credit. Enter the target or less.",
            )
        if row > 1 and band.below >= bands[row - 2].below:
            refuse(
                row,
                f"the bound {percent(band.below)} isn't below that of band {row - 1},"
                f" {percent(bands[row - 2].below)}. List bands from the highest bound down.",
            )
        if row > 1 and band.share <= bands[row - 2].share:
            refuse(
                row,
                f"the credit {percent(band.share)} isn't above that of band {row - 1},"
                f" {percent(bands[row - 2].share)}. A lower attainment earns a higher credit.",
            )


def percent(share: Fraction | Decimal) -> str:
    """Format an exact share: "99.9%". A share with endless decimals is truncated, not rounded."""
    hundred = Fraction(share) * 100
    whole, rest = divmod(hundred.numerator * 10**8, hundred.denominator)
    shown = f"{whole // 10**8}.{whole % 10**8:08}".rstrip("0").rstrip(".")
    return f"{shown}{'…' if rest else ''}%"


def round_money(amount: Fraction) -> int:
    """Minor units, half to even (ISO 80000-1, annex B, rule A): 0.5 → 0, 1.5 → 2, 2.5 → 2.

    Python rounds a Fraction this way, exactly.
    """
    return round(amount)


class Part(NamedTuple):
    """A part of a month under one version: its minutes, the fee of the full month, and the cap."""

    minutes: int
    monthly_fee: int
    credit_cap: Fraction


@dataclass(frozen=True, slots=True)
class CreditLine:
    """The credit of one commitment in one part of a month. `share` is None when not determinable."""

    share: Fraction | None
    fee_part: int
    part_minutes: int
    month_minutes: int

    @property
    def fee(self) -> Fraction:
        """The fee that the share is taken from, prorated by minutes when the month is split."""
        return Fraction(self.fee_part * self.part_minutes, self.month_minutes)

    @property
    def credit(self) -> int:
        """The credit in minor units, rounded half to even; 0 when the result isn't determinable."""
        return round_money((self.share or Fraction(0)) * self.fee)


def credit_line(
    attained: Fraction | None,
    bands: Sequence[Band],
    fee_part: int,
    *,
    part_minutes: int,
    month_minutes: int,
) -> CreditLine:
    """Choose the band and take its share. `attained` None: not determinable, no credit.

    Raises ValueError when the part is longer than its month.
    """
    if not 0 < part_minutes <= month_minutes:
        raise ValueError(f"{part_minutes} minutes aren't part of a month of {month_minutes}")
    share = None if attained is None else share_for(attained, bands)
    return CreditLine(share, fee_part, part_minutes, month_minutes)


@dataclass(frozen=True, slots=True)
class MonthCredit:
    """A month's sum of lines, its cap and its credit, in minor units."""

    lines: int
    cap: int
    fee: int

    @property
    def credit(self) -> int:
        return min(self.lines, self.cap)

    @property
    def over_cap(self) -> int:
        return max(0, self.lines - self.cap)


def month_credit(
    lines: Iterable[CreditLine], parts: Sequence[Part], month_minutes: int
) -> MonthCredit:
    """Add up the rounded lines, under the cap over the month's fee.

    Fee and cap of a split month are the sums over its parts, each pro rata by minutes, and rounded
    once.
    """
    fee = sum((Fraction(p.monthly_fee * p.minutes, month_minutes) for p in parts), Fraction(0))
    cap = sum(
        (p.credit_cap * Fraction(p.monthly_fee * p.minutes, month_minutes) for p in parts),
        Fraction(0),
    )
    return MonthCredit(sum(line.credit for line in lines), round_money(cap), round_money(fee))
