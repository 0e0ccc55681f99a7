"""The operator's notice to everybody who signs in: a sentence in a file, while it exists."""

from pathlib import Path

LONGEST = 300


def notice(file: Path | None) -> str:
    """Return the sentence, or nothing if there is no file that can be read."""
    if file is None:
        return ""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return " ".join(opened.read(LONGEST).split())
    except OSError:
        return ""
