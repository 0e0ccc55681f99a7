"""JSON Lines: one object per line, with its line number as the place."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from governance.operations.evaluations.files.records import FileRefused

MAX_LINE_BYTES = 64 * 1024 * 1024


def lines_of(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield ("line 12", object) for every line that isn't blank. Raises FileRefused."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            place = f"line {number}"
            if len(line) > MAX_LINE_BYTES:
                raise FileRefused(place, "The line has more than 64 MB.")
            if line.strip():
                yield place, _object(line, place)


def _object(line: bytes, place: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        ends = "" if line.endswith(b"\n") else " The file may be cut off."
        raise FileRefused(place, f"The line isn't JSON.{ends}") from None
    if not isinstance(found, Mapping):
        raise FileRefused(place, "The line isn't a JSON object.")
    return found
