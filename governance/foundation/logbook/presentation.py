"""Labels of the log's parts on its pages: actors, outcomes, facts and days."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.record import SYSTEM
from governance.foundation.audit.registry import registry
from governance.foundation.logbook import queries
from governance.foundation.logbook.queries import NumberedEntry
from governance.foundation.people import aliases
from governance.foundation.people import permissions as people
from governance.kernel import clock, formatting
from governance.kernel.safety.access import allowed

ACTOR_KINDS = {  # Kind of actor → (letter of its pseudonym, icon, label).
    "person": ("p", "user", "Person"),
    "job": ("j", "clock-cog", "Meridian, automatically"),
    "api_key": ("k", "key", "API key"),
    "operator": ("o", "building", "Operator"),
}
FACT_LABELS = {
    "as_of": "As of",
    "ends": "Expires",
    "hint": "Key starts with",
    "id": "ID",
    "key": "Slug",
    "lane": "Risk class",
    "origin": "Log origin",
    "ref": "Reference",
    "retest_by": "Retest due",
    "sha256": "SHA-256",
    "tries": "Attempts",
    "url": "URL",
    "via": "Signed in with",
}


class OutcomeLabel(NamedTuple):
    """The shape and the word of an outcome."""

    shape: str
    word: str


OUTCOMES = {  # The file js/proof.js has the same words, to compare them with what was signed.
    "done": OutcomeLabel("ok", "Done"),
    "denied": OutcomeLabel("bad", "Denied"),
    "failed": OutcomeLabel("bad", "Failed"),
}


def outcome_label(outcome: str) -> OutcomeLabel:
    return OUTCOMES.get(outcome) or OutcomeLabel("info", outcome)


@dataclass(frozen=True, slots=True)
class ActorLabel:
    """An actor as the log shows it."""

    pseudonym: str
    label: str
    icon: str
    kind: str


def actor_label(pseudonym: str, kind: str, called: Mapping[str, str] | None = None) -> ActorLabel:
    """Return a label such as `p-7k3f-91ac`: the kind's letter and the first eight digits.

    `called` is from `called_by_auditors`: it comes first, as on other pages.
    """
    letter, icon, meaning = ACTOR_KINDS.get(kind, ("p", "user", kind))
    short = "meridian" if pseudonym == SYSTEM else f"{pseudonym[:4]}-{pseudonym[4:8]}"
    alias = (called or {}).get(pseudonym)
    return ActorLabel(
        pseudonym, f"{alias} · {letter}-{short}" if alias else f"{letter}-{short}", icon, meaning
    )


def called_by_auditors(pseudonyms: Collection[str]) -> dict[str, str]:
    """Return the names that an auditor has for these actors on other pages.

    Empty for members, whose log shows pseudonyms alone.
    """
    return {} if allowed(people.NAMES) else aliases.names_by_pseudonym(pseudonyms)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the list."""

    entry: AuditEntry
    number: str
    at: datetime
    who: ActorLabel
    target: str
    outcome: OutcomeLabel

    @property
    def meaning(self) -> str:
        """The words for what the actor did; empty for an action that no feature declares."""
        known = registry.get(self.entry.action)
        return known.says if known else ""


def lines_by_day(rows: Sequence[NumberedEntry]) -> list[tuple[str, list[LogLine]]]:
    """Return the entries under their days, in the reader's time zone."""
    zone = formatting.zone()
    targets = queries.target_labels([each.entry for each in rows])
    called = called_by_auditors({each.entry.actor for each in rows})
    days: list[tuple[str, list[LogLine]]] = []
    for each in rows:
        at = each.entry.at.astimezone(zone)
        day = _day(at)
        if not days or days[-1][0] != day:
            days.append((day, []))
        days[-1][1].append(_line(each, at, targets[each.entry.id], called))
    return days


def _day(at: datetime) -> str:
    year = at.year != clock.now().year or formatting.locale()
    return f"{at:%A} {formatting.long_day(at.date())}" if year else f"{at:%A} {at.day} {at:%B}"


def _line(row: NumberedEntry, at: datetime, target: str, called: Mapping[str, str]) -> LogLine:
    number = "pending" if row.index is None else formatting.thousands(row.index + 1)
    who = actor_label(row.entry.actor, row.entry.actor_kind, called)
    return LogLine(row.entry, number, at, who, target, outcome_label(row.entry.outcome))


def zone_name(zone: ZoneInfo) -> str:
    """Return the last part of the name: Europe/Berlin → Berlin."""
    return zone.key.rpartition("/")[2].replace("_", " ")


def fact_label(name: str) -> str:
    """Return the label of a fact: due_on → "Due on"."""
    return FACT_LABELS.get(name) or name.replace("_", " ").capitalize()


def fact_text(name: str, value: Any) -> str | None:
    """Return a recorded value as a page shows it; an owner is shown as actors are."""
    if name == "owner" and value:
        return actor_label(str(value), "person").label
    return _text(value)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(each) or "none" for each in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items()) or "none"
    return None if value is None else str(value)
