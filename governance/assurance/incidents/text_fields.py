"""Texts of incidents: trimmed, not empty, not too long."""

from governance.kernel.errors import Invalid

MAX_TITLE_LENGTH, MAX_TEXT_LENGTH, MAX_LINE_LENGTH = 160, 8000, 200


def required(text: str, field: str, sentence: str, *, limit: int = MAX_TEXT_LENGTH) -> str:
    """Return the trimmed text. Raises Invalid for none, or for more than `limit` characters."""
    found = optional(text, field, limit=limit)
    if not found:
        raise Invalid(sentence, field=field)
    return found


def optional(text: str, field: str, *, limit: int = MAX_TEXT_LENGTH) -> str:
    """Return the trimmed text, which may be empty."""
    found = (text or "").replace("\0", "").replace("\r\n", "\n").strip()
    if len(found) > limit:
        raise Invalid(f"This is too long: {len(found):,} of {limit:,} characters.", field=field)
    return found
