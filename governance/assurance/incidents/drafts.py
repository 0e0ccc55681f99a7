"""Prefilled texts: customer updates and notices to authorities. Pure.

Each unknown fact is a line that begins with "Unknown:". Pages mark these lines so that nobody sends
them unread.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.assurance.incidents.statutory_rules import CONFIRM, Regime, Stage

UNKNOWN = "Unknown:"


@dataclass(frozen=True, slots=True)
class DraftFacts:
    """The known facts of an incident. Times are already formatted for the reader."""

    ref: str
    title: str
    summary: str
    severity: str
    state: str
    tenant: str
    systems: Sequence[str]
    impact: Sequence[str]  # "claims-triage: from 25 Nov, 09:14 to 09:42"
    impact_goes_on: bool
    figures: Sequence[tuple[str, str]]
    aware_at: str
    declared_at: str
    resolved_at: str
    timeline: Sequence[tuple[str, str]]  # (when, what), oldest first
    contact: str
    cause: str = ""


def unknown_lines(text: str) -> list[str]:
    """Return the facts that a text marks as unknown."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line.startswith(UNKNOWN)]


def paragraphs(text: str) -> list[list[tuple[str, bool]]]:
    """Return paragraphs of (line, is unknown) for a page."""
    parts = (part for part in text.replace("\r\n", "\n").split("\n\n") if part.strip())
    return [
        [
            (line.strip(), line.strip().startswith(UNKNOWN))
            for line in part.splitlines()
            if line.strip()
        ]
        for part in parts
    ]


def customer_update(facts: DraftFacts) -> tuple[str, str]:
    """Return the title and the body of a customer update in the incident's current state."""
    what = ", ".join(facts.systems) or "your service"
    title = {
        "investigating": f"We are investigating a problem with {what}",
        "identified": f"We found the cause of the problem with {what}",
        "monitoring": f"The problem with {what} has stopped, and we are monitoring",
        "resolved": f"The problem with {what} is resolved",
        "closed": f"Review of the problem with {what}",
    }[facts.state]
    lines = [facts.summary or f"{facts.title}.", *(f"{each}." for each in facts.impact)]
    if not facts.impact:
        lines.append(f"{UNKNOWN} from when to when you were affected.")
    elif facts.impact_goes_on:
        lines.append("It goes on.")
    figures = [f"{figure} {meaning}." for figure, meaning in facts.figures]
    if not figures:
        figures = [f"{UNKNOWN} how many requests or people are affected."]
    ends = [] if facts.state in {"resolved", "closed"} else [f"{UNKNOWN} when we write next."]
    body = "\n\n".join("\n".join(part) for part in (lines, figures, ends) if part)
    return title, body


def notice(facts: DraftFacts, regime: Regime, stage: Stage, due: datetime | None) -> str:
    """Return a draft notice as plain text, for a person to complete and send."""
    parts: list[Iterable[str]] = [
        (
            f"DRAFT {stage.name.upper()} UNDER {regime.name.upper()} ({stage.article})",
            f"{regime.law}, {regime.source}",
            f"To: {regime.recipient}",
            f"Due: {due:%-d %B %Y, %H:%M} UTC" if due else "Due: not yet known",
            f"Prepared by Meridian from {facts.ref}. {CONFIRM}",
            "Complete every line that says “Unknown”.",
        ),
        (
            "1. Who reports",
            facts.tenant,
            f"Contact: {facts.contact}" if facts.contact else f"{UNKNOWN} contact person",
            f"{UNKNOWN} registration or entity number",
        ),
        (
            "2. What happened",
            facts.title,
            *([facts.summary] if facts.summary else [f"{UNKNOWN} a description"]),
            f"Severity: {facts.severity}",
            f"Cause: {facts.cause}" if facts.cause else f"{UNKNOWN} cause",
        ),
        (
            "3. AI systems",
            *(facts.systems or [f"{UNKNOWN} which AI systems"]),
            f"{UNKNOWN} version or registration number in the EU database",
        ),
        (
            "4. When",
            f"Became aware: {facts.aware_at}",
            f"Declared: {facts.declared_at}",
            *(facts.impact or [f"{UNKNOWN} when it began and ended"]),
            f"Resolved: {facts.resolved_at}" if facts.resolved_at else "It is not resolved.",
        ),
        (
            "5. Who and what is affected",
            *(f"{figure} {meaning}" for figure, meaning in facts.figures),
            *([] if facts.figures else [f"{UNKNOWN} number of people and records affected"]),
            f"{UNKNOWN} whether persons in other Member States are affected",
        ),
        (
            "6. What was done",
            *(f"{when}  {what}" for when, what in facts.timeline),
            *([] if facts.timeline else [f"{UNKNOWN} corrective measures"]),
        ),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"
