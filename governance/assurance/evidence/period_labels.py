"""Labels of periods, such as Nov 2026 and Q4 2026."""

from datetime import date

from governance.kernel import formatting


def period_label(first: date, last: date) -> str:
    """Format a period as Nov 2026, Q4 2026, Jul to Dec 2026, 2026, a day, or two days."""
    whole = first.day == 1 and (
        last.toordinal() + 1
        == date(last.year + last.month // 12, last.month % 12 + 1, 1).toordinal()
    )
    if first == last:
        return formatting.day(first)
    if whole and (first.year, first.month) == (last.year, last.month):
        return f"{first:%b %Y}"
    if (
        whole
        and first.year == last.year
        and (first.month - 1) % 3 == 0
        and last.month == first.month + 2
    ):
        return f"Q{last.month // 3} {last.year}"
    if whole and first.year == last.year:
        return (
            f"{last.year}"
            if (first.month, last.month) == (1, 12)
            else f"{first:%b} to {last:%b %Y}"
        )
    begin = formatting.day_of_year(first) + (f" {first.year}" if first.year != last.year else "")
    return f"{begin} to {formatting.day(last)}"
