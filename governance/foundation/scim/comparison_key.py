"""When two names of a directory are the same name."""

from unicodedata import normalize


def comparison_key(text: str) -> str:
    """The form in which names are compared: `default_comparison_key` of scim2-models."""
    return normalize("NFC", normalize("NFC", text).lower())
