"""Format shares, amounts, burn rates and durations for the pages of objectives.

A share is truncated, never rounded up: 99.9996% of 100% is not 100%.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from governance.kernel import formatting
from governance.kernel.formatting import plural, zone
from governance.operations.measurements.models import Indicator
from governance.operations.objectives.service_hours import DAYS, ServiceHours

TIMES, MINUS = "\N{MULTIPLICATION SIGN}", "\N{MINUS SIGN}"
HOUR, DAY = 60, 1440  # minutes
ONES = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def percent(share: Fraction | None, places: int = 1) -> str:
    """Return "23.1%", truncated; "unknown" for None."""
    if share is None:
        return "unknown"
    if share == 1:
        return "100%"
    cut = abs(share.numerator) * 10 ** (places + 2) // share.denominator
    text = f"{Decimal(cut).scaleb(-places):,.{places}f}%"
    return f"{MINUS}{text}" if share < 0 and cut else text


def exact_percent(share: Decimal | Fraction) -> str:
    """Return a target as it was set: "99.5%", "99.95%", with at least one decimal."""
    value = Decimal(share.numerator) / share.denominator if isinstance(share, Fraction) else share
    text = f"{(value * 100).normalize():f}"
    return f"{text}%" if "." in text else f"{text}.0%"


def amount(value: Fraction | int, places: int = 2) -> str:
    """Return "206.78", "1,482" or "4.2": at most two decimals, none for an integer."""
    number = Decimal(round(Fraction(value) * 10**places)).scaleb(-places)
    text = f"{abs(number):,.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{MINUS}{text}" if number < 0 else text


def fixed(value: Fraction | int, places: int) -> str:
    """Return the amount with a fixed number of decimals, for figures that add up."""
    number = Decimal(round(Fraction(value) * 10**places)).scaleb(-places)
    text = f"{abs(number):,.{places}f}"
    return f"{MINUS} {text}" if number < 0 else text


def burn(rate: Fraction | None) -> str:
    """Return "3.5" with the multiplication sign."""
    if rate is None:
        return "no data"
    value = float(rate)
    return f"{value:,.0f}{TIMES}" if value >= 100 else f"{value:.1f}{TIMES}"  # noqa: PLR2004


def length(minutes: int) -> str:
    """Return "52 min", "19 h" or "3 days"."""
    if minutes < 2 * HOUR:
        return f"{minutes:,} min"
    return f"{minutes // HOUR} h" if minutes < 2 * DAY else plural(round(minutes / DAY), "day")


def day(at: datetime) -> str:
    """Return "27 Nov" in the tenant's time zone."""
    local = at.astimezone(zone())
    return formatting.day_of_year(local)


def full_day(at: datetime) -> str:
    """Return "27 November" in the tenant's time zone."""
    local = at.astimezone(zone())
    return f"{local.day} {local:%B}"


def minute(at: datetime) -> str:
    """Return "3 Nov, 19:20" in the tenant's time zone."""
    local = at.astimezone(zone())
    return f"{formatting.day_of_year(local)}, {formatting.hour(local)}"


def between(start: datetime, end: datetime) -> str:
    """Return "14 Nov, 03:00 to 09:10", with both days if they differ."""
    first, last = start.astimezone(zone()), end.astimezone(zone())
    until = formatting.hour(last) if first.date() == last.date() else minute(end)
    return f"{minute(start)} to {until}"


def number_word(number: int) -> str:
    return ONES[number] if 0 < number < len(ONES) else f"{number:,}"


def unit_of(indicator: Indicator) -> str:
    """Return the unit of a budget: "min" for downtime, otherwise the indicator's events."""
    return "min" if indicator.kind == "downtime" else indicator.unit


def measures(indicator: Indicator) -> str:
    """Return the small line about the measure: "minutes down", "good ÷ total requests"."""
    if indicator.kind == "downtime":
        return "minutes down"
    if indicator.kind == "threshold" and indicator.bound is not None:
        side = "over" if indicator.good_side == "more_than" else "up to"
        bound = f"{indicator.bound.normalize():f}"
        return f"{indicator.unit} of {side} {bound} {indicator.bound_unit or ''}".strip()
    return f"good ÷ total {indicator.unit}"


def definition(indicator: Indicator) -> str:
    """Return the sentence that defines a down minute, or a good event."""
    if indicator.kind == "downtime":
        return indicator.sentence
    if indicator.kind == "threshold" and indicator.bound is not None:
        side = "more than" if indicator.good_side == "more_than" else "at most"
        bound = f"{indicator.bound.normalize():f} {indicator.bound_unit or ''}".strip()
        return f"Good {indicator.unit} take {side} {bound}."
    return f"Good {indicator.unit} are counted against all {indicator.unit}."


def notice(before: timedelta) -> str:
    """Return the time from an announcement to its start, in words."""
    minutes = int(abs(before).total_seconds() // 60)
    when = "before" if before >= timedelta(0) else "after the start"
    return f"announced {length(minutes)} {when}"


def hours(service: ServiceHours | None) -> str:
    """Return "all hours", or the days with hours."""
    if service is None:
        return "all hours"
    days = [name[:3] for name, its in zip(DAYS.values(), service.days, strict=True) if its]
    return f"{service.minutes_a_week // HOUR} h a week: {', '.join(days)}"
