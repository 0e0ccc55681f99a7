"""Numbers, dates, lists and plurals, formatted the same in every report. Pure."""

from collections.abc import Sequence
from datetime import date, datetime

ONE_LINE, TWO_LINES = 44, 84  # Characters of a section title.
MAX_NAME_LENGTH = 24  # Characters of a tenant's name in a title.
NB = "\N{NO-BREAK SPACE}"
NO_VALUE = "\N{EN DASH}"  # Shown if a table has no value.
WORDS = (
    "none",
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
)


def digits(count: int) -> str:
    """Return "1,200"."""
    return f"{count:,}"


def words(count: int) -> str:
    """Return numbers up to twelve in words, and larger ones in digits."""
    return WORDS[count] if 0 <= count < len(WORDS) else digits(count)


def many(count: int, noun: str, plural: str = "") -> str:
    """Return "three actions" or "no actions", for sentences."""
    return f"{words(count) if count else 'no'} {noun if count == 1 else plural or noun + 's'}"


def many_digits(count: int, noun: str, plural: str = "") -> str:
    """Return "3 actions", for labels and tables."""
    return f"{digits(count)} {noun if count == 1 else plural or noun + 's'}"


def out_of(part: int, whole: int, noun: str, plural: str = "") -> str:
    """Return "two of seven requirements" or "8 of 13 requirements", in one style per sentence."""
    if whole < len(WORDS):
        return f"{words(part)} of {many(whole, noun, plural)}"
    return f"{digits(part) if part else 'none'} of {digits(whole)} {plural or noun + 's'}"


def per_cent(part: int, whole: int) -> int | None:
    """Return the rounded percentage, or None if the total is 0.

    It never rounds up to 100 before everything is reached, nor down to 0 after something is.
    """
    if not whole:
        return None
    rounded = (200 * part + whole) // (2 * whole)
    if part not in {0, whole}:
        rounded = min(99, max(1, rounded))
    return rounded


def is_(count: int) -> str:
    return "is" if count == 1 else "are"


def was(count: int) -> str:
    return "was" if count == 1 else "were"


def has(count: int) -> str:
    return "has" if count == 1 else "have"


def its(count: int) -> str:
    return "its" if count == 1 else "their"


def verb(count: int, plural: str) -> str:
    """Return "closes" for one subject, and "close" for several."""
    return f"{plural}s" if count == 1 else plural


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Add a capital and one period. An empty text stays empty."""
    text = " ".join(text.split())
    return capital(text) + ("" if text[-1:] in {".", "!", "?", "…"} else ".") if text else ""


def sentences(*texts: str) -> str:
    """Join the non-empty texts into a paragraph, each with a capital and a period."""
    return " ".join(sentence(text) for text in texts if text)


def clip(text: str, length: int) -> str:
    """Cut to at most `length` characters between words, with an ellipsis for the missing text."""
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    head = cut.rsplit(" ", 1)[0] if " " in cut else cut
    return head.rstrip(f" ,;:.{NO_VALUE}") + "…"


def keep_last_words_together(title: str) -> str:
    """Tie the last three words of a title, so that its last line is never a single word."""
    parts = title.split(" ")
    tail = parts[-3:]
    # A title of four words or fewer has no line to lose a word from.
    if len(title) <= ONE_LINE or len(parts) < 5 or sum(map(len, tail)) > ONE_LINE // 2:  # noqa: PLR2004
        return title
    return " ".join([*parts[:-3], NB.join(tail)])


def listed(parts: Sequence[str]) -> str:
    """Return "A", "A and B" or "A, B and C"."""
    if len(parts) < 2:  # noqa: PLR2004 - one needs no "and"
        return "".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]


def first_of(names: Sequence[str], shown: int) -> str:
    """Return "A, B, C and 4 more": the first `shown` names, and the number of the others."""
    if len(names) <= shown:
        return listed(names)
    return f"{', '.join(names[:shown])} and {len(names) - shown} more"


def person(name: str | None) -> str:
    """Name the owner of an action, or say that it has none."""
    return f"Owner: {clip(name, 30)}." if name else "No owner yet."


def day(value: str | None, *, short: bool = False, missing: str = NO_VALUE) -> str:
    """Return "9 October 2026", or "9 Oct 2026" for tables."""
    if not value:
        return missing
    at = date.fromisoformat(value[:10])
    return f"{at.day}{NB}{at:{'%b' if short else '%B'} %Y}"


def instant(value: str) -> str:
    """Return "9 October 2026, 17:00 UTC"."""
    return f"{day(value)}, {datetime.fromisoformat(value):%H:%M} UTC"


def moment(value: str | None) -> str:
    """Return "25 Nov 2026, 09:24", for tables whose method states that times are UTC."""
    return f"{day(value, short=True)}, {datetime.fromisoformat(value):%H:%M}" if value else NO_VALUE
