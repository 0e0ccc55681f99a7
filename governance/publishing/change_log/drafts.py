"""Words for what the record says, as a person would tell customers. Pure.

A draft names releases, settings and dates. It never has what is internal: rollback plans, gates,
names of people, reasons.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from governance.kernel.formatting import long_day
from governance.operations.systems.facts import Content, differences, readable

MAX_LINES = 12
TOLD = ("name", "purpose", "models", "data_sets", "autonomy", "intended_users", "capabilities")
WORDS = {"models": "Model", "data_sets": "Data", "capabilities": "What it can do"}


@dataclass(frozen=True, slots=True)
class ChangeDraft:
    """What becomes a change for customers. `cause` and `cause_id` name the record, once."""

    kind: str
    cause: str
    cause_id: UUID
    system_id: UUID | None
    at: datetime
    title: str
    body: str
    effect: str


def finished(system: str, feature: str, release: str, previous: str, summary: str) -> Sequence[str]:
    """Return title, text and effect of a release that everybody has."""
    return (
        f"{system}: release {release} for everyone",
        summary,
        f"Everyone who uses {feature} has release {release} now. It replaces {previous}.",
    )


def rolled_back(
    system: str, feature: str, release: str, previous: str, where: str
) -> Sequence[str]:
    """Return title, text and effect of a release that nobody has any more."""
    return (
        f"{system}: release {release} withdrawn",
        f"Release {release} of {feature} was withdrawn while it was {where}.",
        f"Everyone who uses {feature} has release {previous} again.",
    )


def changed_system(before: Content, after: Content) -> Sequence[str]:
    """Return title, text and effect of a substantial change to an AI system."""
    lines = [
        f"{WORDS.get(name, name.replace('_', ' ').capitalize())}:"
        f" {_said(name, new)}. Before: {_said(name, old)}."
        for name, old, new in differences(before, after)
        if name in TOLD
    ]
    return f"{after['name']} has changed", "\n".join(lines), ""


def _said(name: str, value: Any) -> str:
    return (readable(name, value) or "none").rstrip(".")


def fixed(system: str, measure: str, missed: datetime, passed: datetime) -> Sequence[str]:
    """Return title, text and effect of a finding that a later evaluation closed."""
    return (
        f"{system}: {measure} is within its limit again",
        (
            f"Our evaluation of {long_day(missed)} found {measure} outside its limit."
            f" That of {long_day(passed)} found it within the limit again."
        ),
        "",
    )


def policy(number: int, lines: Sequence[tuple[str, str, str, str]]) -> Sequence[str]:
    """Return title, text and effect of a policy; `lines` are (system or "", setting, before, after)."""
    shown = [
        f"{f'{system}: ' if system else ''}{setting}: {after}. Before: {before}."
        for system, setting, before, after in lines[:MAX_LINES]
    ]
    if len(lines) > MAX_LINES:
        shown.append(f"And {len(lines) - MAX_LINES} more settings.")
    return f"Policy version {number} applies", "\n".join(shown), ""


def paragraphs(text: str) -> list[list[str]]:
    """Return the lines of each paragraph of a text."""
    parts = text.replace("\r\n", "\n").split("\n\n")
    found = [[line.strip() for line in part.splitlines() if line.strip()] for part in parts]
    return [each for each in found if each]


def draft(words: Sequence[str], **facts: Any) -> ChangeDraft:
    title, body, effect = words
    return ChangeDraft(title=title, body=body, effect=effect, **facts)
