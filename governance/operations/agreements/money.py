"""Read and format amounts in minor units. Pure.

Digits after the point are those of ISO 4217.
"""

from decimal import Decimal, DecimalException

from governance.kernel.errors import Invalid

DIGITS = {"EUR": 2, "USD": 2, "GBP": 2, "CHF": 2, "SEK": 2, "NOK": 2, "DKK": 2, "PLN": 2, "JPY": 0}
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
MINUS = "\N{MINUS SIGN}"
MAX_AMOUNT = 10**14  # minor units


def read_amount(text: str, currency: str, *, field: str) -> int:
    """Read "12,400.00" as 1240000. Raises Invalid, about `field`."""
    digits = DIGITS.get(currency, 2)
    try:
        amount = Decimal(text.strip().replace(",", "")) * 10**digits
    except DecimalException as error:  # Not a number, or a number that overflows
        raise Invalid(
            f"“{text.strip()[:40]}” isn't an amount. Enter one such as 12,400.00.", field=field
        ) from error
    if not amount.is_finite() or not 0 <= amount <= MAX_AMOUNT:
        raise Invalid("Enter an amount from 0 to 1,000,000,000,000.", field=field)
    if amount != amount.to_integral_value():
        raise Invalid(f"An amount in {currency} has {digits} decimals at most.", field=field)
    return int(amount)


def plain_amount(amount: int, currency: str) -> str:
    """Write 1240000 as "12400.00", for a form or a file."""
    digits = DIGITS.get(currency, 2)
    whole, rest = divmod(abs(amount), 10**digits)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}}" if digits else f"{sign}{whole}"


def money(amount: int, currency: str) -> str:
    """Write 1240000 as "€12,400.00"; a currency without a sign as "CHF 12,400.00"."""
    digits = DIGITS.get(currency, 2)
    whole, rest = divmod(abs(amount), 10**digits)
    shown = f"{whole:,}.{rest:0{digits}}" if digits else f"{whole:,}"
    unit = SIGNS.get(currency, f"{currency} ")
    return f"{MINUS if amount < 0 else ''}{unit}{shown}"
