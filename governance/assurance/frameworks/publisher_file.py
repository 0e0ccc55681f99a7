"""The contents of a publisher's file before its framework is known. Pure functions.

HTML and Markdown in texts are kept as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

type Kind = Literal[
    "statement",
    "overview",
    "playbook wording",
    "about",
    "actions",
    "documentation",
    "references",
    "AI actors",
    "topics",
]
PLACEHOLDER = "{{"
MAX_LINE_LENGTH = 200  # Characters of a title, an id or an edition.
MAX_NAMED = 12  # Ids or fields in one sentence.


class ImportRefused(ValueError):
    """The file can't be imported. `args[0]` is the sentence to show.

    `line` and `column` count from 1. `fits` is the key of the built-in framework that the file
    belongs to.
    """

    def __init__(
        self,
        message: str,
        line: int | None = None,
        column: int | None = None,
        *,
        fits: str | None = None,
    ) -> None:
        """Store the position of the fault, or the framework that fits, with the message."""
        super().__init__(message)
        self.line, self.column, self.fits = line, column, fits


@dataclass(frozen=True, slots=True)
class FileText:
    """A text for an id.

    `spellings` are the ways in which the file writes the id, its label first. `refused` is why the
    text can't be imported, and then `text` is empty.
    """

    spellings: tuple[str, ...]
    kind: Kind
    text: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class PublisherFile:
    """A parsed file. `names` are the names it gives itself: title, reference, URN."""

    format: str
    title: str
    names: tuple[str, ...]
    edition: str
    texts: tuple[FileText, ...]
    problems: tuple[str, ...]


def file_text(spellings: tuple[str, ...], kind: Kind, text: str) -> FileText:
    """Return a FileText, which is refused if a placeholder in it has no value."""
    start = text.find(PLACEHOLDER)
    if start < 0:
        return FileText(spellings, kind, text)
    sample = " ".join(text[start : start + 40].split())
    return FileText(spellings, kind, "", f"it has a placeholder without a value: “{sample}…”")


def not_imported(fields: Mapping[str, int], what: str) -> list[str]:
    """Return a sentence that lists the omitted parts of the file with their numbers."""
    if not fields:
        return []
    ordered = sorted(fields.items(), key=lambda each: (-each[1], each[0]))
    listed = [f"{name} ({count:,})" for name, count in ordered[:MAX_NAMED]]
    more = len(fields) - len(listed)
    return [f"Not imported: the {what} {', '.join(listed)}{f' and {more} more' if more else ''}."]


def edition_of(*facts: tuple[str, object]) -> str:
    """Join the known facts about an edition, such as "version 1, of 2024-03-23"."""
    return (
        ", ".join(f"{name} {plain_line(value)}" for name, value in facts if plain_line(value))
        or "undated"
    )


def plain_line(value: object) -> str:
    """Return a short value on one line, or "" if it isn't text."""
    return (
        " ".join(value.split())[:MAX_LINE_LENGTH]
        if isinstance(value, str) and _is_storable(value)
        else ""
    )


def plain_text(value: object, ref: str) -> str:
    """Return the text without surrounding white space, or "" for None.

    Raises ImportRefused if it isn't text. `ref` names the value in the message.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ImportRefused(f"The value of {ref} isn't text.")
    if not _is_storable(value):
        raise ImportRefused(f"The text of {ref} contains a NUL or an invalid character.")
    return value.replace("\r\n", "\n").strip()


def _is_storable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # A lone surrogate.
        return False
    return "\0" not in value
