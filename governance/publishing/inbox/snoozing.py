"""The rules for how long an item can be snoozed. Pure.

CHOICES                        what the page offers: value, label
until(choice, day, now)        the time that a choice means; None: until the item changes
why_not(due, until, now)       why an item can't be snoozed until then, or None

Days start at 08:00 in the tenant's time zone. An item can't be snoozed past its deadline, and an
overdue one can't be snoozed.

>>> from datetime import UTC
>>> now = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)  # a Wednesday
>>> until("monday", None, now).isoformat()
'2026-11-30T08:00:00+00:00'
>>> why_not(datetime(2026, 11, 27, 23, 59, 59, tzinfo=UTC), until("monday", None, now), now)
'It is due on 27 November 2026, so it comes back before then.'
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args

from governance.kernel.formatting import long_day

type Choice = Literal["hour", "tomorrow", "monday", "week", "day", "change"]
CHOICES: tuple[tuple[Choice, str], ...] = (
    ("hour", "1 hour"),
    ("tomorrow", "Until tomorrow"),
    ("monday", "Until Monday"),
    ("week", "1 week"),
    ("change", "Until it changes"),
)
KNOWN = get_args(Choice.__value__)
MORNING = time(8)
MAX_DAYS = 365


def until(choice: Choice, day: date | None, now: datetime) -> datetime | None:
    """Return the end of a snooze.

    `now` is in the tenant's time zone; `day` goes with the choice "day".
    """
    if choice == "change":
        return None
    if choice == "hour":
        return now + timedelta(hours=1)
    days = {"tomorrow": 1, "monday": 7 - now.weekday(), "week": 7}
    on = (
        day
        if choice == "day" and day is not None
        else now.date() + timedelta(days=days.get(choice, 1))
    )
    return datetime.combine(on, MORNING, now.tzinfo)


def why_not(due: datetime | None, until: datetime | None, now: datetime) -> str | None:
    if due is not None and due <= now:
        return "It is overdue, so it can't be snoozed."
    if until is None:
        return None
    if until <= now:
        return "Choose a day after today."
    if until > now + timedelta(days=MAX_DAYS):
        return "Choose a day within a year."
    if due is not None and until > due:
        return f"It is due on {long_day(due.astimezone(UTC).date())}, so it comes back before then."
    return None
