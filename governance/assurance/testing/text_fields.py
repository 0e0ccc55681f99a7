"""Validation of the free texts that testers and management enter."""

from governance.kernel.errors import Invalid

MAX_TEXT_LENGTH = 2000  # characters


def require_text(text: str, field: str, sentence: str) -> None:
    """Raise Invalid with the sentence, on that field, if the text is blank."""
    if not text.strip():
        raise Invalid(sentence, field=field)
