"""The starter pack: sixty controls in Meridian's own words, read from starter.yaml. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from governance.kernel.files import yaml_files

FILE = Path(__file__).parent / "starter.yaml"


@dataclass(frozen=True, slots=True)
class StarterControl:
    """A proposed control with the titles of its evidence and its mappings.

    A mapping is (framework, ref, coverage).
    """

    ref: str
    title: str
    does: str
    kind: str
    automation: str
    cadence: str
    evidence: tuple[str, ...]
    mappings: tuple[tuple[str, str, str], ...]
    rests_on: str | None = None


@cache
def pack() -> tuple[StarterControl, ...]:
    """Return all controls of the pack in its order."""
    content: Mapping[str, Any] = yaml_files.read(FILE)
    return tuple(_read(row) for row in content["controls"])


def mapped_frameworks(controls: Iterable[StarterControl]) -> tuple[str, ...]:
    """Return the keys of the frameworks that these controls map to, each once."""
    return tuple(dict.fromkeys(key for each in controls for key, _, _ in each.mappings))


def _read(row: Mapping[str, Any]) -> StarterControl:
    mappings = tuple((m["framework"], m["ref"], m["coverage"]) for m in row["mappings"])
    return StarterControl(
        row["ref"],
        row["title"],
        row["does"],
        row["kind"],
        row["automation"],
        row["cadence"],
        tuple(row["evidence"]),
        mappings,
        row.get("rests_on"),
    )
