"""A copy of an export with one changed fact, which the verifier must detect.

tamper(export, copy) -> Tampering   the changed fact and its entry; nothing else changes
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785

from governance.foundation.audit import jsonl
from governance.foundation.audit.jsonl import ExportedEntry

BEST = 4  # level
# Action, fact and new value, in order of preference.
WANTED: tuple[tuple[str, str, Any], ...] = (
    ("assessment.conclusion.signed_off", "level", BEST),
    ("assessment.conclusion.recorded", "level", BEST),
    ("control.tested", "failed", 0),
)


@dataclass(frozen=True, slots=True)
class Tampering:
    """The original value of a fact, and its value in the copy."""

    index: int
    action: str
    field: str
    said: Any
    instead: Any


def tamper(export: Path, copy: Path) -> Tampering:
    """Write the copy. The export is read twice, line by line."""
    chosen = _choose(export)
    with export.open("rb") as source, copy.open("wb") as target:
        for line in jsonl.lines(source):
            found = jsonl.read(line)
            target.write(
                _bent(found, chosen).line
                if isinstance(found, ExportedEntry) and found.index == chosen.index
                else line
            )
    return chosen


def _choose(export: Path) -> Tampering:
    """Return the change for the last entry of the best-ranked kind in WANTED.

    Entries whose fact already has the target value don't count. Without any match, change the
    outcome of the last entry.
    """
    seen: dict[int, Tampering] = {}
    last = None
    with export.open("rb") as source:
        for line in jsonl.lines(source):
            found = jsonl.read(line)
            if isinstance(found, ExportedEntry):
                last = _of(found, len(WANTED), "outcome", "denied")
                seen.update(_wanted(found))
    if last is None:
        raise ValueError(f"{export.name} contains no entry to change")
    return seen[min(seen)] if seen else last


def _wanted(entry: ExportedEntry) -> dict[int, Tampering]:
    """Return the possible changes of this entry, by their rank in WANTED."""
    told = json.loads(entry.body)
    return {
        rank: _of(entry, rank, field, best)
        for rank, (action, field, best) in enumerate(WANTED)
        if told["action"] == action and told["facts"].get(field, best) != best
    }


def _of(entry: ExportedEntry, rank: int, field: str, instead: Any) -> Tampering:
    told = json.loads(entry.body)
    held = told["facts"] if rank < len(WANTED) else told
    return Tampering(entry.index, told["action"], field, held[field], instead)


def _bent(entry: ExportedEntry, chosen: Tampering) -> ExportedEntry:
    told = json.loads(entry.body)
    held = told["facts"] if chosen.field in told["facts"] else told
    held[chosen.field] = chosen.instead
    return ExportedEntry(entry.index, rfc8785.dumps(told), entry.path)
