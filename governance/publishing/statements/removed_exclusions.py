"""Exclusions that a data file had when it was signed, and no longer has.

    removed(statement, checks)   "Exclusion MNT-1 from 2026-10-04T00:00Z was removed.", in order

Pure. A removed value is gone, but its check remains: the exclusion's name and beginning are found
by trying the possible ones.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from governance.kernel.intervals import MINUTE
from governance.kernel.months import MAX_MONTH_LENGTH
from governance.publishing.statements.data_file import leaf_digest, leaves
from governance.publishing.statements.statement_calculation import read_span

LIST = "exclusions"
PREFIXES = ("MNT", "DSP")
MAX_NUMBER = 5000  # The highest number in a name that is tried.
MAX_NAMED = 5  # Exclusions of one file whose names are searched for.


def removed(statement: Mapping[str, Any], checks: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each removed exclusion.

    Empty if the list differs in another way too.
    """
    rows, places = statement.get(LIST), _signed_places(checks)
    left = _places_of(rows, places, checks) if isinstance(rows, list) else None
    if left is None:
        return []
    gone = [place for place in places if place not in left]
    named = [_name(place, statement, checks) for place in gone[:MAX_NAMED]]
    return [f"{each} was removed." for each in [*named, *map(_numbered, gone[MAX_NAMED:])]]


def _signed_places(checks: Mapping[str, Any]) -> list[int]:
    parts = (path.split("/") for path in checks)
    found = {each[1] for each in parts if len(each) > 1 and each[0] == LIST}
    return sorted(int(each) for each in found if each.isdecimal())


def _places_of(
    rows: Sequence[Any], places: Sequence[int], checks: Mapping[str, Any]
) -> set[int] | None:
    """Return each row's place when it was signed.

    None if one of them wasn't in the list like this.
    """
    remaining = iter(places)
    found = set()
    for row in rows:
        place = next((each for each in remaining if _was_at(each, row, checks)), None)
        if place is None:
            return None
        found.add(place)
    return found


def _was_at(place: int, row: Any, checks: Mapping[str, Any]) -> bool:
    values = leaves(row, f"{LIST}/{place}")
    return all(checks.get(path) == leaf_digest(path, value) for path, value in values)


def _name(place: int, statement: Mapping[str, Any], checks: Mapping[str, Any]) -> str:
    names = (f"{prefix}-{n}" for n in range(1, MAX_NUMBER + 1) for prefix in PREFIXES)
    ref = _signed_value(f"{LIST}/{place}/ref", names, checks)
    start = _signed_value(f"{LIST}/{place}/from", _minutes(statement), checks)
    name = f"Exclusion {ref}" if ref else _numbered(place)
    return f"{name} from {start.removesuffix(':00Z')}Z" if start else name


def _numbered(place: int) -> str:
    return f"Exclusion {place + 1} of the signed list"


def _signed_value(path: str, candidates: Iterable[str], checks: Mapping[str, Any]) -> str:
    signed = checks.get(path)
    return next((each for each in candidates if leaf_digest(path, each) == signed), "")


def _minutes(statement: Mapping[str, Any]) -> Iterator[str]:
    try:
        span = read_span(statement["span"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return  # Another check reports it.
    if span.end - span.start > MAX_MONTH_LENGTH:
        return
    for place in range(span.minutes):
        yield f"{span.start + place * MINUTE:%Y-%m-%dT%H:%M:%SZ}"
