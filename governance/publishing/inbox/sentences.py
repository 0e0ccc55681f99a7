"""Headings and messages of the inbox. Pure.

>>> headline(InboxCounts(open=15, late=1, due_today=2))
'15 items need you: 1 is overdue, 2 are due today'
>>> headline(InboxCounts())
'Nothing needs you'
"""

from datetime import datetime

from governance.kernel.formatting import plural, short
from governance.publishing.inbox.queries import InboxCounts


def headline(tally: InboxCounts) -> str:
    if not tally.open:
        return "Nothing needs you"
    return f"{need(tally.open)}{pressing(tally)}"


def need(count: int) -> str:
    """Return "15 items need you"."""
    return f"{plural(count, 'item')} {'needs' if count == 1 else 'need'} you"


def pressing(tally: InboxCounts) -> str:
    counts = ((tally.late, "overdue"), (tally.due_today, "due today"))
    parts = [f"{count} {'is' if count == 1 else 'are'} {word}" for count, word in counts if count]
    return f": {', '.join(parts)}" if parts else ""


def snoozed(count: int, until: datetime | None) -> str:
    """Return the message after a snooze, in the reader's time zone."""
    change = "it changes" if count == 1 else "they change"
    end = change if until is None else short(until)
    return f"{plural(count, 'item')} snoozed until {end}."
