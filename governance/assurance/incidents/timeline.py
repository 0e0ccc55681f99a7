"""The timeline of an incident: audit log entries within its window, and notes.

FAMILIES lists the actions that belong to it. Nothing is copied: each automatic entry is read from
the log and links to it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select

from governance.assurance.incidents import queries
from governance.assurance.incidents.models import Incident, IncidentNote
from governance.assurance.incidents.queries import ImpactWindow
from governance.assurance.incidents.timeline_words import sentence
from governance.foundation.audit.models import AuditEntry, Leaf
from governance.foundation.audit.registry import Shape
from governance.foundation.people.aliases import FORMER_MEMBER, shown_names
from governance.foundation.people.queries import Moment, moments
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.formatting import plural

type Owner = Literal["incident", "system", "tenant"]
BEFORE = timedelta(minutes=30)  # Before the first sign of the incident.
MAX_ENTRIES = 300


@dataclass(frozen=True, slots=True)
class Family:
    """Actions whose names begin with `prefix`, except those that begin with one of `without`.

    The `fact` of an entry is the ref of its incident or the slug of an affected system, depending
    on `of`. With "tenant", an entry belongs to every incident at that time, and so does an entry of
    a system without that fact.
    """

    prefix: str
    of: Owner
    fact: str = ""
    without: tuple[str, ...] = ()


NO_STEPS = (  # Actions that don't change who gets which release.
    "rollout.planned",
    "rollout.cancelled",
    "rollout.rollback_plan.",
    "rollout.step.",
    "rollout.freeze.",
)
FAMILIES = (
    Family("incident.", "incident", "ref", without=("incident.note.", "incident.review.edited")),
    Family("playbook.run.", "incident", "incident"),
    Family("playbook.step.", "incident", "incident"),
    Family("alert.", "tenant"),
    Family("budget.exhausted", "tenant"),
    Family("switch.", "system", "key", without=("switch.drill.",)),
    Family("policy.", "tenant", without=("policy.drafted",)),
    Family("waiver.", "tenant"),
    Family("platform_minimum.changed", "tenant"),
    Family("system.", "system", "key"),
    Family("exclusion.", "tenant"),
    Family("rollout.", "system", "system", without=NO_STEPS),
)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A line of the timeline. A note has `text`; an automatic entry has `says` and `place`."""

    at: datetime
    shape: Shape
    who: str
    says: str = ""
    meta: str = ""
    text: str = ""
    is_note: bool = False
    action: str = ""
    entry_id: UUID | None = None
    place: int | None = None  # Position in the log, from 1.
    target_type: str = ""
    target_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The entries, newest first. `is_cut` means that older automatic entries are left out."""

    entries: tuple[TimelineEntry, ...]
    automatic: int
    notes: int
    is_cut: bool

    def only(self, kind: str) -> tuple[TimelineEntry, ...]:
        """Return the entries of a filter: automatic, notes or all."""
        wanted = {"automatic": False, "notes": True}.get(kind)
        return tuple(each for each in self.entries if wanted is None or each.is_note == wanted)


def window(incident: Incident, impacts: Sequence[ImpactWindow]) -> tuple[datetime, datetime]:
    """Return the start and end of the log window.

    It starts half an hour before the first sign of the incident and ends when it was closed, or
    now.
    """
    signs = (
        incident.declared_at,
        incident.detected_at,
        incident.aware_at,
        *(w.impact.starts_at for w in impacts),
    )
    return min(signs) - BEFORE, incident.closed_at or clock.now()


def timeline(incident: Incident, impacts: Sequence[ImpactWindow]) -> Timeline:
    """Return what happened, newest first, in three statements and one for the names."""
    found = _automatic(incident, impacts)
    written = queries.notes(incident.id)
    names = shown_names(each.written_by for each in written)
    entries = [*found[:MAX_ENTRIES], *(_note(each, names) for each in written)]
    entries.sort(key=lambda each: (each.at, each.is_note), reverse=True)
    automatic = min(len(found), MAX_ENTRIES)
    return Timeline(tuple(entries), automatic, len(written), len(found) > MAX_ENTRIES)


def _note(note: IncidentNote, names: dict[UUID, str]) -> TimelineEntry:
    who = names.get(note.written_by, FORMER_MEMBER) if note.written_by else "Meridian"
    return TimelineEntry(note.created_at, "open", who, text=note.text, is_note=True)


def _automatic(incident: Incident, impacts: Sequence[ImpactWindow]) -> list[TimelineEntry]:
    e = AuditEntry
    keys = {each.system.key for each in impacts}
    start, end = window(incident, impacts)
    belongs = or_(*(_condition(each, incident.ref, keys, start, end) for each in FAMILIES))
    query = (
        select(e, Leaf.index.label("place"))
        .outerjoin(Leaf, Leaf.id == e.id)
        .where(belongs, e.outcome == "done")
        .order_by(e.at.desc(), e.id.desc())
        .limit(MAX_ENTRIES + 1)
    )
    rows = session().execute(query).all()
    places = {row.AuditEntry.id: row.place for row in rows}
    return [
        _entry(each, places[each.entry_id]) for each in moments([row.AuditEntry for row in rows])
    ]


def _condition(
    family: Family, ref: str, keys: Collection[str], start: datetime, end: datetime
) -> ColumnElement[bool]:
    e = AuditEntry
    named = and_(
        e.action >= family.prefix,
        e.action < family.prefix[:-1] + chr(ord(family.prefix[-1]) + 1),
        *(~e.action.startswith(each) for each in family.without),
    )
    if family.of == "incident":
        return and_(named, e.facts[family.fact].astext == ref)
    within = and_(named, e.at >= start, e.at <= end)
    if family.of == "tenant" or not keys:
        return within
    fact = e.facts[family.fact].astext
    return and_(within, or_(fact.is_(None), fact.in_(keys) if keys else false()))


# Labels of facts in display order. "{}" is the value.
SHOWN = {
    "switch": "{}",
    "key": "{}",
    "name": "{}",
    "objective": "{}",
    "law": "{}",
    "stage": "{}",
    "recipient": "to {}",
    "title": "{}",
    "step": "step {}",
    "state": "{}",
    "system": "{}",
    "figure": "{}",
    "meaning": "{}",
    "cause": "{}",
}
NUMBERED = {"PolicyVersion": "version {}"}  # Labels of the fact `number`, by target type.


def _entry(moment: Moment, place: int | None) -> TimelineEntry:
    says, taken = sentence(moment.action, moment.target_type, moment.says, moment.facts)
    return TimelineEntry(
        moment.at,
        moment.shape,
        moment.who,
        says=says,
        meta=": ".join(each for each in (", ".join(_facts(moment, taken)), moment.reason) if each),
        action=moment.action,
        entry_id=moment.entry_id,
        place=place + 1 if place is not None else None,
        target_type=moment.target_type,
        target_id=moment.target_id,
    )


def _facts(moment: Moment, taken: Collection[str]) -> Iterator[str]:
    """Return the facts that the sentence doesn't contain yet, formatted."""
    facts = {name: value for name, value in moment.facts.items() if name not in taken}
    if isinstance(facts.get("number"), int):
        yield NUMBERED.get(moment.target_type, "{}").format(facts["number"])
    if isinstance(facts.get("applies"), bool):
        yield "applies" if facts["applies"] else "doesn't apply"
    if isinstance(facts.get("level"), int):
        yield f"severity {facts['level']}"
    if facts.get("contacts"):
        yield f"to {plural(facts['contacts'], 'contact')} by email"
    for name, shown in SHOWN.items():
        if facts.get(name) not in {None, "", 0} and isinstance(facts[name], str | int):
            yield shown.format(facts[name])


def revision(incident: Incident, impacts: Sequence[ImpactWindow]) -> str:
    """Return a string that changes when the page would: newest line, state and version."""
    found = _automatic(incident, impacts)
    written: Any = queries.notes(incident.id)
    newest = [str(each[0].entry_id) for each in [found] if each]
    last = [str(each.id) for each in written[-1:]]
    return " ".join([incident.state, str(incident.version), str(len(found)), *newest, *last])
