"""Formatting of a review's figures. Pure; None becomes "not estimable".

percent(share)           "57.2%"
points(now, before)      "+1.4 points"
growth(now, before)      "+3.1%"
months(number)           "11.2 months"
times(number)            "3.3"
spelled(count)           "three", "13"
names(list)              "Globex, Tallis Retail and two more"
month_name("2026-10")    "October 2026"
day_name("2026-10-17")   "17 October"
scaled_money(…)          "€780" beside a large total, "€4.72" beside a small one
"""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from governance.economics.formulas.money import MINUS, money, whole_money
from governance.kernel.months import Month

NOT_ESTIMABLE = "not estimable"
UNKNOWN = "\N{EN DASH}"  # shown instead of a large figure
WORDS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
MAX_NAMED = 2
CENTS_BELOW = Decimal(10_000)
_TENTH, _HUNDREDTH = Decimal("0.1"), Decimal("0.01")


def percent(share: Decimal | None, step: Decimal = _TENTH) -> str:
    """Return 0.5723 as "57.2%"."""
    return NOT_ESTIMABLE if share is None else f"{_text(share * 100, step)}%"


def fine_percent(share: Decimal | None) -> str:
    """Return 0.01522 as "1.52%"."""
    return percent(share, _HUNDREDTH)


def points(now: Decimal | None, before: Decimal | None) -> str:
    """Return the change of a share as "+1.4 points", or "" if either is None."""
    if now is None or before is None:
        return ""
    change = ((now - before) * 100).quantize(_TENTH, rounding=ROUND_HALF_EVEN)
    return f"{_sign(change)}{_text(abs(change), _TENTH)} point{'' if abs(change) == 1 else 's'}"


def growth(now: Decimal | None, before: Decimal | None) -> str:
    """Return the change of an amount as "+3.1%", or "" if there is nothing to compare with."""
    if now is None or before is None or before <= 0:
        return ""
    change = ((now / before - 1) * 100).quantize(_TENTH, rounding=ROUND_HALF_EVEN)
    return f"{_sign(change)}{_text(abs(change), _TENTH)}%"


def months(number: Decimal | None) -> str:
    """Return "11.2 months"."""
    return NOT_ESTIMABLE if number is None else f"{_text(number, _TENTH)} months"


def times(number: Decimal | None) -> str:
    """Return "3.3"."""
    return NOT_ESTIMABLE if number is None else _text(number, _TENTH)


def scale_decimals(whole: Decimal) -> int:
    """Return the number of decimals for amounts beside a total: 2 below 10,000, else 0."""
    return 0 if abs(whole) >= CENTS_BELOW else 2


def scaled_money(amount: Decimal, currency: str, whole: Decimal) -> str:
    """Return "€780" as a part of 73,600, and "€4.72" as a part of 254.46."""
    write = whole_money if scale_decimals(whole) == 0 else money
    return write(amount, currency)


def spelled(count: int) -> str:
    """Return "three", or digits from 13 up."""
    return WORDS[count] if count < len(WORDS) else f"{count:,}"


def capital(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def names(listed: Sequence[str]) -> str:
    """Return "Globex", "Globex and Tallis Retail", "Globex, Tallis Retail and three more"."""
    if len(listed) <= MAX_NAMED:
        return " and ".join(listed)
    more = len(listed) - MAX_NAMED
    return f"{', '.join(listed[:MAX_NAMED])} and {spelled(more)} more"


def month_name(month: str, *, year: bool = True) -> str:
    """Return "October 2026", or "October"."""
    parsed = Month.parse(month)
    day = date(parsed.year, parsed.number, 1)
    return f"{day:%B %Y}" if year else f"{day:%B}"


def day_name(day: str) -> str:
    """Return "17 October", or "the whole month" for charges without a day."""
    if not day:
        return "the whole month"
    parsed = date.fromisoformat(day)
    return f"{parsed.day} {parsed:%B}"


def short_month(month: str) -> str:
    """Return "Oct"."""
    return month_name(month)[:3]


def _text(number: Decimal, step: Decimal) -> str:
    """Return the number rounded to `step`, without the trailing zeros that `step` doesn't have."""
    value = number.quantize(step, rounding=ROUND_HALF_EVEN) + 0  # turns -0 into 0
    return f"{value:,f}".replace("-", MINUS)


def _sign(change: Decimal) -> str:
    return "+" if change > 0 else MINUS if change < 0 else ""
