"""Amounts as Decimal, in the major unit of an ISO 4217 currency: €412,400.00 is Decimal("412400").

    rounded(amount, currency)          to the cent, half to even
    rounded_together(amounts, …)       to the cent, preserving the sum
    read_amount(text, currency, …)     parse an amount from a form or a file
    money(amount, currency)            "€12,400.00"        every cent
    short_money(amount, currency)      "€412.4k"           for a headline
    whole_money(amount, currency)      "-€3,120"           for a sentence
    unit_money(amount, currency)       "€0.0031"           for a small unit price
    exact_money(amount, currency)      "$0.625"            for an agreed price
    plain_amount(amount, currency)     "12400.00"          for a form or a file

Texts contain the minus sign U+2212. Sums are exact: round once, at the end. Amounts are below
10^12, so that an amount with the 8 decimals of a price fits in the 28 digits of a Decimal.
"""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, DecimalException

from governance.economics.formulas.currencies import DECIMALS, SIGNS
from governance.kernel.errors import Invalid

MINUS = "\N{MINUS SIGN}"
MAX_AMOUNT = Decimal(10**12)
PRICE_DECIMALS = 8  # of a price, and of the cost of a usage row
SHORT_FROM = Decimal(10_000)  # headlines show smaller amounts in full
SIGNIFICANT_DIGITS = 2  # of an amount below 1
_MAX_TEXT = 40


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round to the currency's smallest unit, half to even: 0.125 EUR becomes 0.12.

    Raises Invalid for an amount of 10^12 or more, for NaN and for infinity.
    """
    return round_to(amount, DECIMALS[currency])


def round_to(amount: Decimal, decimals: int) -> Decimal:
    """Round to `decimals` decimals, half to even. Raises Invalid like `rounded`."""
    check_amount(amount)
    return amount.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)


def rounded_together(amounts: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Round parts so that they add up to their rounded sum (largest remainder method).

    Each part changes by less than the smallest unit of the currency.
    """
    unit = Decimal(1).scaleb(-DECIMALS[currency])
    total = rounded(sum(amounts, Decimal(0)), currency)
    found = [amount.quantize(unit, rounding=ROUND_FLOOR) for amount in amounts]
    missing = int((total - sum(found, Decimal(0))) / unit)
    by_rest = sorted(range(len(amounts)), key=lambda n: (found[n] - amounts[n], n))
    for n in by_rest[:missing]:
        found[n] += unit
    return found


def check_amount(amount: Decimal, *, field: str | None = None) -> None:
    """Raise Invalid for NaN, infinity, or an amount of 10^12 or more."""
    if not amount.is_finite() or abs(amount) >= MAX_AMOUNT:
        raise Invalid(f"Enter an amount below {MAX_AMOUNT:,}.", field=field)


def read_amount(
    text: str,
    currency: str,
    *,
    field: str,
    decimals: int | None = None,
    negative: bool = False,
) -> Decimal:
    """Parse "12,400.00" as Decimal("12400.00").

    `decimals` limits the number of decimals, by default to those of the currency. `negative` allows
    amounts below zero. Raises Invalid for `field`.
    """
    try:
        amount = Decimal(text.strip().replace(",", "").replace(MINUS, "-"))
    except DecimalException as error:
        raise Invalid(
            f"“{text.strip()[:_MAX_TEXT]}” isn't an amount. Enter one such as 12,400.00.",
            field=field,
        ) from error
    check_amount(amount, field=field)
    if amount < 0 and not negative:
        raise Invalid("Enter an amount that isn't negative.", field=field)
    most = DECIMALS[currency] if decimals is None else decimals
    if amount != round_to(amount, most):
        raise Invalid(f"An amount in {currency} has {most} decimals at most.", field=field)
    return amount + 0  # turns -0 into 0


def money(amount: Decimal, currency: str) -> str:
    """Return "€12,400.00", "-€3,120.50", "¥1,200" or, without a sign, "CHF 12,400.00"."""
    value = rounded(amount, currency)
    return _signed(value, f"{abs(value):,f}", currency)


def whole_money(amount: Decimal, currency: str) -> str:
    """Return "-€3,120", without cents, for a sentence or a headline."""
    value = round_to(amount, 0)
    return _signed(value, f"{abs(value):,f}", currency)


def short_money(amount: Decimal, currency: str) -> str:
    """Return "€412.4k" or "€1.3m" for 10,000 or more, and the amount without cents below."""
    for size, letter in ((Decimal(10**9), "bn"), (Decimal(10**6), "m"), (Decimal(10**3), "k")):
        value = round_to(amount / size, 1)
        if abs(value) >= 1 and abs(amount) >= SHORT_FROM:
            return _signed(value, f"{abs(value):,f}{letter}", currency)
    return whole_money(amount, currency)


def unit_money(amount: Decimal, currency: str) -> str:
    """Return "€0.0031" for 0.00312: two significant digits below 1, cents from 1 up."""
    decimals = DECIMALS[currency]
    if amount and amount.is_finite() and abs(amount) < 1:
        decimals = max(decimals, SIGNIFICANT_DIGITS - 1 - amount.adjusted())
    value = round_to(amount, min(decimals, 2 * PRICE_DECIMALS))
    return _signed(value, f"{abs(value):,f}", currency)


def exact_money(amount: Decimal, currency: str) -> str:
    """Return "$0.625" or "$3.00": all digits of the price, and at least its cents."""
    check_amount(amount)
    decimals = max(DECIMALS[currency], -int(amount.normalize().as_tuple().exponent))
    return _signed(amount, f"{abs(amount):,.{decimals}f}", currency)


def plain_amount(amount: Decimal, currency: str) -> str:
    """Return "12400.00" or "-3.50", for a form or a file."""
    return f"{rounded(amount, currency) + 0:f}"


def _signed(value: Decimal, digits: str, currency: str) -> str:
    return f"{MINUS if value < 0 else ''}{SIGNS.get(currency, f'{currency} ')}{digits}"
