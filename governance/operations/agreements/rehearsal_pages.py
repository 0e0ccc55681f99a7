"""The page of a rehearsal: 13 months of credits before anyone signs."""

from fractions import Fraction
from typing import Any
from uuid import UUID

from governance.kernel.formatting import plural
from governance.kernel.months import Month
from governance.operations.agreements import queries
from governance.operations.agreements.credit_chart import CreditColumn, credit_columns
from governance.operations.agreements.credits import percent
from governance.operations.agreements.models import FROM_VENDOR
from governance.operations.agreements.money import DIGITS, money
from governance.operations.agreements.place import Drawn, Place
from governance.operations.agreements.rehearsal import Rehearsal, RehearsedLine, rehearse

NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def rehearsal(place: Place, agreement_id: UUID, number: int) -> Drawn:
    row, version = queries.agreement(agreement_id), queries.numbered(agreement_id, number)
    context: dict[str, Any] = {"agreement": row, "version": version, "found": None}
    if row.direction != FROM_VENDOR:
        found = rehearse(version)
        context |= {
            "found": found,
            "conclusion": conclusion(found),
            "chart": chart_of(found) if found.months else None,
            "months": [_month(each, found.currency) for each in reversed(found.months)],
            "credit": money(found.credit, found.currency),
            "fee": money(found.fee, found.currency),
            "share": points(found.share),
            "is_operator": place.is_operator,
        }
    return Drawn("operations/agreements/rehearsal.html", context)


def conclusion(found: Rehearsal) -> str:
    """Return the heading: the credits due, or that the data is insufficient."""
    every = sum(len(each.lines) for each in found.months)
    if every and found.undetermined == every:
        return "Nothing is determinable: the last 13 months have too little data"
    if not found.credit and found.undetermined:
        return f"No credit would have been due; {found.undetermined} of {every} results are not determinable"
    if not found.credit:
        return "No credit would have been due in the last 13 months"
    return (
        f"{money(found.credit, found.currency)} of credits in {plural(found.missed, 'month')} of the"
        " last 13"
    )


def month_name(month: Month) -> str:
    return f"{NAMES[month.number - 1]} {month.year}"


def points(share: Fraction) -> str:
    """Format a share with one decimal, truncated: "6.1%"."""
    tenths = share.numerator * 1000 // share.denominator
    return f"{tenths // 10}.{tenths % 10}%"


def attained_text(attained: Fraction | None) -> str:
    """Format attainment with three decimals, rounded down so that a miss never looks kept."""
    if attained is None:
        return "not determinable"
    cut = attained.numerator * 100_000 // attained.denominator
    return f"{cut // 1000}.{cut % 1000:03}%"


def chart_of(found: Rehearsal) -> Any:
    """Draw columns of the monthly credit, in major units of the currency."""
    unit = 10 ** DIGITS.get(found.currency, 2)
    columns = [
        CreditColumn(
            NAMES[each.month.number - 1],
            each.credit.credit / unit,
            is_known=each.undetermined < len(each.lines),
            is_capped=each.credit.over_cap > 0,
        )
        for each in found.months
    ]
    return credit_columns(columns, f"{conclusion(found)} ({found.currency})")


def _month(each: Any, currency: str) -> dict[str, Any]:
    return {
        "name": month_name(each.month),
        "credit": money(each.credit.credit, currency),
        "over_cap": money(each.credit.over_cap, currency) if each.credit.over_cap else "",
        "share": points(each.share),
        "is_due": each.credit.credit > 0,
        "lines": [_line(line, currency) for line in each.lines],
    }


def _line(line: RehearsedLine, currency: str) -> dict[str, Any]:
    coverage = line.coverage
    return {
        "clause": line.clause,
        "name": line.name,
        "target": percent(line.target),
        "attained": attained_text(line.attained),
        "is_known": line.attained is not None,
        "is_missed": line.attained is not None and line.attained < line.target,
        "coverage": points(coverage) if coverage is not None else "0.0%",
        "share": percent(line.line.share) if line.line.share else "",
        "credit": money(line.line.credit, currency),
    }
