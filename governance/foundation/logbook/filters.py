"""The filters of the log's address, as conditions on entries. Its page and its exports share them.

parse(args) -> Filters         from a query string; raises Invalid for a value that can't be meant
filters.conditions(zone)       for a select over AuditEntry
filters.address                back into a query string's names and values
matches(entry, words)          the full-text part, over what is not encrypted
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, literal_column, not_, or_

from governance.foundation.audit.models import AuditEntry
from governance.kernel.days import parse_day
from governance.kernel.errors import Invalid

NAMES = ("since", "until", "actor", "action", "target", "outcome", "q")
PSEUDONYM = re.compile(r"[0-9a-f]{4,32}")
ACTION = re.compile(r"-?[a-z_]+(\.[a-z_]+)*")
KIND = re.compile(r"[A-Za-z]{1,60}")
WORD = re.compile(r"[\w@./:-]+")
MAX_WORD_LENGTH, MAX_WORDS = 64, 8
# Characters. An index on complete pseudonyms returns their entries in order.
PSEUDONYM_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of entries. An empty field filters nothing.

    `action` is a name or its beginning ("session", "policy"); "-session" excludes it. `actor` is a
    pseudonym or its beginning, `target` a class or "Class:id", `outcome` a recorded outcome. An
    entry matches `q` when its unencrypted part has a word for each of its words.
    """

    since: date | None = None
    until: date | None = None
    actor: str = ""
    action: str = ""
    target: str = ""
    outcome: str = ""
    q: str = ""

    @property
    def address(self) -> dict[str, str]:
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self).items()
            if value
        }

    @property
    def words(self) -> list[str]:
        return words_of(self.q)[:MAX_WORDS]

    def conditions(self, zone: str) -> list[ColumnElement[bool]]:
        """Return the conditions, all but the words. Days begin at midnight in that time zone."""
        return [
            *self._time(zone),
            *self._actor(),
            *self._action(),
            *self._target(),
            *self._outcome(),
        ]

    def _time(self, zone: str) -> Iterator[ColumnElement[bool]]:
        if self.since:
            yield AuditEntry.at >= _midnight(self.since, zone)
        if self.until:
            yield AuditEntry.at < _midnight(self.until + timedelta(days=1), zone)

    def _actor(self) -> Iterator[ColumnElement[bool]]:
        if len(self.actor) == PSEUDONYM_LENGTH:
            yield AuditEntry.actor == self.actor
        elif self.actor:
            yield _begins(AuditEntry.actor, self.actor)

    def _action(self) -> Iterator[ColumnElement[bool]]:
        name = self.action.removeprefix("-")
        if name:
            meant = or_(AuditEntry.action == name, _begins(AuditEntry.action, f"{name}."))
            yield not_(meant) if self.action.startswith("-") else meant

    def _target(self) -> Iterator[ColumnElement[bool]]:
        kind, _, identity = self.target.partition(":")
        if kind:
            yield AuditEntry.target_type == kind
        if identity:
            yield AuditEntry.target_id == UUID(identity)

    def _outcome(self) -> Iterator[ColumnElement[bool]]:
        if self.outcome:
            yield AuditEntry.outcome == self.outcome
        if self.outcome not in {"", "done"}:
            # The same expression as in the partial index over the other outcomes.
            yield AuditEntry.outcome != literal_column("'done'")


def _begins(column: Any, start: str) -> ColumnElement[bool]:
    """Compare by range: LIKE is not leakproof, so it uses no index under row-level security."""
    return and_(column >= start, column < end_of(start))


def end_of(start: str) -> str:
    """Return the first text in byte order after everything with this beginning."""
    return start[:-1] + chr(ord(start[-1]) + 1)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def parse(args: Mapping[str, str]) -> Filters:
    """Read the filters of an address. Raises Invalid, which names the filter."""
    values = {name: args.get(name, "").strip()[:200] for name in NAMES}
    if values["actor"]:
        values["actor"] = values["actor"].lower().removeprefix("p-").replace("-", "")
    for name, shape, hint in (
        ("actor", PSEUDONYM, "the first 4 or more characters of a pseudonym, 0-9 and a-f"),
        ("action", ACTION, "the name of an action or its beginning, such as policy.published"),
    ):
        if values[name] and not shape.fullmatch(values[name]):
            raise Invalid(f"The filter {name} should be {hint}.", field=name)
    return Filters(
        since=_day("since", values["since"]),
        until=_day("until", values["until"]),
        actor=values["actor"],
        action=values["action"],
        target=_target(values["target"]),
        outcome=values["outcome"][:20],
        q=values["q"].replace("\0", ""),
    )


# The range that PostgreSQL and a time zone can calculate with.
LOGGED = (date(1970, 1, 1), date(9000, 12, 31))


def _day(name: str, text: str) -> date | None:
    return parse_day(text, field=name, bounds=LOGGED, is_named=True) if text else None


def _target(text: str) -> str:
    kind, colon, identity = text.partition(":")
    try:
        return f"{kind}:{UUID(identity)}" if colon and KIND.fullmatch(kind) else _kind(kind)
    except ValueError:
        raise Invalid(
            "The filter target should be a class, or a class and an ID such as Control:0199….",
            field="target",
        ) from None


def _kind(text: str) -> str:
    if text and not KIND.fullmatch(text):
        raise ValueError(text)
    return text


def words_of(text: str) -> list[str]:
    """Return the words that search compares, in lower case, each once."""
    return list(dict.fromkeys(word[:MAX_WORD_LENGTH] for word in WORD.findall(text.lower())))


def clear_words(entry: AuditEntry) -> set[str]:
    """Return the words of what is not encrypted.

    These are action, target, outcome, facts, and changed fields before and after.
    """
    parts = [
        entry.action,
        *entry.action.split("."),
        entry.target_type,
        str(entry.target_id),
        entry.outcome,
        entry.request_id,
    ]
    return {
        word
        for part in [*parts, *_texts(entry.facts), *_texts(entry.changes)]
        for word in words_of(part)
    }


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield name
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif value is not None:
        yield str(value)


def matches(entry: AuditEntry, words: list[str]) -> bool:
    """Return whether each of these words begins a word of the entry that is not encrypted."""
    present = clear_words(entry) if words else set()
    return all(any(each.startswith(word) for each in present) for word in words)
