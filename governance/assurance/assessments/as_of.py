"""Pages of a past day: `?as_of=2026-10-01` shows what was known at the end of that day."""

from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import quote, urlencode

from flask import request

from governance.kernel import clock, formatting
from governance.kernel.days import CENTURY, parse_day
from governance.kernel.errors import Invalid


def as_of_moment() -> datetime | None:
    """Return the end of the day in the URL, or None for now. Raise Invalid for a future day."""
    day_text = request.args.get("as_of", "").strip()
    if not day_text:
        return None
    day = parse_day(day_text, field="as_of", bounds=(CENTURY[0], date.max))
    if day > clock.today():
        raise Invalid("Choose today or an earlier date.", field="as_of")
    return None if day == clock.today() else datetime.combine(day, time(23, 59, 59, 999999), UTC)


def past_day() -> dict[str, Any]:
    """Return the template context of a past day: its banner, and the day that links keep.

    For now it is {"as_of": None}.
    """
    at = as_of_moment()
    if at is None:
        return {"as_of": None}
    says = f"As of {formatting.long_day(at.date())}."
    text = (
        "Levels, conclusions and sign-offs are shown as of the end of that day."
        " You can't change anything here."
    )
    parts = {name: value for name, value in request.args.items() if name != "as_of"}
    now = (
        f"{quote(request.path)}?{urlencode(parts)}" if parts else quote(request.path)
    )  # `url_for` takes _scheme and the tenant from them.
    return {
        "as_of": at.date().isoformat(),
        "as_of_day": formatting.day(at.date()),
        "banner": {
            "kind": "info",
            "word": "Past day",
            "lead": says,
            "text": text,
            "href": now,
            "link": "Back to now",
        },
    }
