"""The slug that a name suggests. Pure."""

import re
import unicodedata

MAX_SLUG_LENGTH = 61


def slug_of(name: str) -> str:
    """Return "claims-2025" for "Claims 2025", or empty text if no leading letter is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).lstrip("-0123456789")
    return words[:MAX_SLUG_LENGTH].strip("-")
