"""The timeline of an object: its audit entries as people read them."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

from markupsafe import Markup

from governance.foundation.people.queries import Moment, timeline

SHOWN_FACTS = (
    "number",
    "control",
    "requirement",
    "coverage",
    "sample",
    "failed",
    "finding_ref",
    "ref",
    "undoes",
)
FACT_FORMATS = {
    "number": "version {}",
    "coverage": "{}",
    "sample": "sample of {}",
    "failed": "{} failed",
    "undoes": "undo of a change",
}


def timeline_entries(
    ids: Mapping[UUID, str] | Collection[UUID],
    *,
    limit: int = 30,
    controls: Collection[str] | None = None,
    without: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Return the activity on these objects, newest first, for the macro `c.timeline`.

    A mapping of ids gives the name shown with each object's activity. Actions in `without` are left
    out. With `controls` (refs that the reader sees), activity that names another control is left
    out. It takes two statements.
    """
    named = ids if isinstance(ids, Mapping) else {}
    moments = timeline(list(ids), limit=limit, without=without)
    shown = [
        m
        for m in moments
        if controls is None or m.facts.get("control") is None or m.facts["control"] in controls
    ]
    return [_timeline_entry(moment, named.get(moment.target_id, "")) for moment in shown]


def _timeline_entry(moment: Moment, name: str) -> dict[str, Any]:
    named = [] if not name or name in moment.facts.values() else [name]
    meta = ", ".join([*named, *_facts(moment), *_changes(moment)])
    reason = f": {moment.reason}" if moment.reason else ""
    text = Markup("<b>{}</b> {}").format(moment.who, moment.says)
    return {
        "kind": moment.shape,
        "text": text,
        "meta": (meta + reason).lstrip(": "),
        "at": moment.at,
    }


def _facts(moment: Moment) -> Iterator[str]:
    for name in SHOWN_FACTS:
        value = moment.facts.get(name)
        if value not in {None, ""} and not (name == "failed" and value == 0):
            yield FACT_FORMATS.get(name, "{}").format(value)


def _changes(moment: Moment) -> Iterator[str]:
    """Describe each changed field. Ids of people are left out, since readers can't use them."""
    for name, (old, new) in sorted(moment.changes.items()):
        if name == "owner":
            yield "owner removed" if new is None else "to a new owner"
        elif len(str(old)) + len(str(new)) < 80:  # noqa: PLR2004 - one line
            yield f"{name} {'none' if old is None else old} → {'none' if new is None else new}"
        else:
            yield f"{name} changed"
