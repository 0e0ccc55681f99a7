"""Validation of incident texts: trimmed, printable, within their length."""

import re

from governance.kernel.errors import Invalid

# Control characters, and characters that hide text or change its direction.
UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
MAX_TITLE_LENGTH, MAX_TEXT_LENGTH, MAX_LINE_LENGTH = 160, 8000, 200


def required(text: str, field: str, sentence: str, *, limit: int = MAX_TEXT_LENGTH) -> str:
    """Return the trimmed text. Raise Invalid if it is empty or longer than `limit` characters."""
    found = optional(text, field, limit=limit)
    if not found:
        raise Invalid(sentence, field=field)
    return found


def optional(text: str, field: str, *, limit: int = MAX_TEXT_LENGTH) -> str:
    """Return the trimmed text, which may be empty. Raise Invalid if it is too long."""
    found = UNPRINTABLE.sub("", (text or "").replace("\r\n", "\n")).strip()
    if len(found) > limit:
        raise Invalid(f"This is too long: {len(found):,} of {limit:,} characters.", field=field)
    return found
