"""Drafts for customers, worded from the record. Pure.

A draft names releases, settings and dates. It never has internal content: rollback plans, gates,
people's names, reasons, and what a red team tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from governance.kernel.formatting import long_day, plural
from governance.operations.systems.facts import Content, differences, readable

MAX_LINES = 12
TOLD = ("name", "purpose", "models", "data_sets", "autonomy", "intended_users", "capabilities")
WORDS = {"models": "Model", "data_sets": "Data", "capabilities": "What it can do"}


@dataclass(frozen=True, slots=True)
class ChangeDraft:
    """A draft of a change for customers.

    `cause` and `cause_id` name the record that it comes from. Each record is drafted once.
    """

    kind: str
    cause: str
    cause_id: UUID
    system_id: UUID | None
    at: datetime
    title: str
    body: str
    effect: str


def finished(system: str, feature: str, release: str, previous: str, summary: str) -> Sequence[str]:
    """Return the title, text and effect of a release that everybody has."""
    return (
        f"{system}: release {release} is available to everyone",
        summary,
        f"Everyone who uses {feature} now has release {release}. It replaces release {previous}.",
    )


def rolled_back(
    system: str, feature: str, release: str, previous: str, where: str
) -> Sequence[str]:
    """Return the title, text and effect of a release that nobody has any more."""
    return (
        f"{system}: we withdrew release {release}",
        f"We withdrew release {release} of {feature} while its rollout was {where}.",
        f"Everyone who uses {feature} has release {previous} again.",
    )


def changed_system(before: Content, after: Content) -> Sequence[str]:
    """Return the title, text and effect of a substantial change to an AI system."""
    lines = [
        f"{WORDS.get(name, name.replace('_', ' ').capitalize())}:"
        f" {_shown(name, new)}. Before: {_shown(name, old)}."
        for name, old, new in differences(before, after)
        if name in TOLD
    ]
    return f"We changed {after['name']}", "\n".join(lines), ""


def _shown(name: str, value: Any) -> str:
    return (readable(name, value) or "none").rstrip(".")


def measure_fixed(system: str, measure: str, missed: datetime, passed: datetime) -> Sequence[str]:
    """Return the title, text and effect of a finding that a later evaluation closed."""
    return (
        f"{system}: {measure} back within the limit",
        (
            f"Our test of {long_day(missed)} found {measure} outside of the limit."
            f" Our test of {long_day(passed)} found it within the limit again."
        ),
        "",
    )


def weakness_fixed(
    system: str, list_name: str, risk: str, name: str, release: str
) -> Sequence[str]:
    """Return the title, text and effect of a red team finding that its regression case closed.

    The text names the class of the weakness and the release. How anybody found or used it stays
    internal.
    """
    return (
        f"{system}: security fix in release {release}",
        (
            f"Release {release} fixes a weakness of this class: {risk} {name} ({list_name})."
            f" A security test found it, and the same test passes on release {release}."
        ),
        f"You have the fix once you use release {release}.",
    )


def policy(
    number: int, since: datetime, lines: Sequence[tuple[str, str, str, str, str]]
) -> Sequence[str]:
    """Return the title, text and effect of a policy.

    `lines` are (system or "", setting, before, after, meaning or "").
    """
    shown = [
        f"{f'{system}: ' if system else ''}{setting} is now {after}."
        f"{f' {means}.' if means else ''} It was {before} before."
        for system, setting, before, after, means in lines[:MAX_LINES]
    ]
    if len(lines) > MAX_LINES:
        more = len(lines) - MAX_LINES
        shown.append(f"And {plural(more, 'more setting')}.")
    return (
        f"Our AI policy has changed: version {number}",
        "\n".join(shown),
        f"The new settings have applied since {long_day(since)}.",
    )


def paragraphs(text: str) -> list[list[str]]:
    """Return the lines of each paragraph of a text."""
    parts = text.replace("\r\n", "\n").split("\n\n")
    found = [[line.strip() for line in part.splitlines() if line.strip()] for part in parts]
    return [each for each in found if each]


def draft(words: Sequence[str], **facts: Any) -> ChangeDraft:
    title, body, effect = words
    return ChangeDraft(title=title, body=body, effect=effect, **facts)
