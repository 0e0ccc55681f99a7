"""The comparison of names of a directory."""

from unicodedata import normalize


def comparison_key(text: str) -> str:
    """Return the form in which names are compared: `default_comparison_key` of scim2-models."""
    return normalize("NFC", normalize("NFC", text).lower())
