"""Text of evaluation figures. Pure."""

from governance.kernel.formatting import plural
from governance.operations.evaluations.models import SuiteMeasure

HUNDRED = 100
VERDICTS = {
    "pass": ("ok", "Pass"),
    "fail": ("bad", "Fail"),
    "undecided": ("due", "Undecided"),
    "none": ("none", "No result"),
}
UNITS = {"share": "share of cases", "s": "seconds", "ms": "milliseconds"}


def amount(value: float | None, unit: str) -> str:
    """Return "4.6%", "3.6 s" or "0.116 EUR"."""
    if value is None:
        return "unknown"
    if unit == "share":
        percent = value * HUNDRED
        places = 2 if 0 < percent < 1 or HUNDRED - 1 < percent < HUNDRED else 1
        return f"{percent:.{places}f}%"
    return f"{value:,.3g} {unit}"


def interval(low: float | None, high: float | None, unit: str) -> str:
    """Return "3.2 to 6.4%", or "at least 2.1 s" if the sample gives no upper end."""
    if low is None:
        return ""
    if high is None:
        return f"at least {amount(low, unit)}"
    first = amount(low, unit).removesuffix("%").removesuffix(f" {unit}")
    return f"{first} to {amount(high, unit)}"


def limit(measure: SuiteMeasure, value: float | None) -> str:
    """Return "≤ 3.0%"."""
    if value is None:
        return ""
    sign = "≥" if measure.at_least else "≤"
    return f"{sign} {amount(value, measure.unit)}"


def asks(measure: SuiteMeasure) -> str:
    """Describe the requirement of a measure: "share of cases, at most"."""
    side = "at least" if measure.at_least else "at most"
    return f"{UNITS.get(measure.unit, measure.unit)}, {side}"


def needs(more: int | None) -> str:
    """Return "Needs 1,900 more cases"."""
    if more is None:
        return "No number of cases decides at this rate"
    return f"Needs {plural(more, 'more case')}"


def counted(n: int, successes: int | None) -> str:
    """Return "55 of 1,200" or "n = 1,200"."""
    return f"n = {n:,}" if successes is None else f"{successes:,} of {n:,}"
