"""Decide how many items of a population are tested, and which. Pure and reproducible.

    advise_size(table, cadence, population)         how many, by a stated table
    draw_items(items, seed, population_hash, size)  which: in the order of SHA-256(seed, hash, item)
    population_digest(rows)                         the SHA-256 of a population
    DEFAULT_TABLE                                   Meridian's sizes; no standard sets any

Anyone can repeat a draw in a spreadsheet: join the seed, the population's hash and the item's id
with line feeds, hash each, sort by the hash and take the first.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

METHOD = (
    "sort the items by SHA-256(seed, line feed, population hash, line feed, item id) and take the"
    " first"
)
DEFAULT_SIZES, OWN_SIZES = "Meridian default", "custom sizes"  # Names of the sampling rule.
BANDS = ("up to 25", "26 to 100", "101 to 250", "over 250")
_EDGES = (25, 100, 250)


@dataclass(frozen=True, slots=True)
class SampleSizes:
    """The number of items to test, by cadence, and by population band for event-driven controls.

    `name` is shown beside samples.
    """

    name: str
    by_cadence: Mapping[str, int]
    per_event: tuple[int, int, int, int]


# Sizes common in practice: yearly 1, quarterly 2 to 4, monthly 2 to 6, weekly 5 to 15, daily 15 to
# 40, per event 20 to 60, and all if there are few.
DEFAULT_TABLE = SampleSizes(
    DEFAULT_SIZES,
    {"yearly": 1, "half-yearly": 2, "quarterly": 3, "monthly": 6, "weekly": 10, "daily": 25},
    (25, 25, 40, 60),
)


@dataclass(frozen=True, slots=True)
class SizeAdvice:
    """The suggested number of items, and the rule as text, as stored with the sample."""

    size: int
    rule: str


def advise_size(table: SampleSizes, cadence: str, population: int) -> SizeAdvice:
    """Return the size for a control with that cadence and number of items."""
    if population < 0:
        raise ValueError("a population has no fewer than 0 items")
    if cadence in table.by_cadence:
        size, when = table.by_cadence[cadence], f"for a {cadence} control"
    else:
        band = band_of(population)
        size, when = table.per_event[band], f"per event, for a population of {BANDS[band]}"
    if size >= population:
        return SizeAdvice(
            population, f"all items, because the rule requires {size} {when} ({table.name})"
        )
    return SizeAdvice(size, f"{size} {when} ({table.name})")


def band_of(population: int) -> int:
    """Return the index in BANDS for a number of items."""
    return sum(population > edge for edge in _EDGES)


def draw_items(items: Iterable[str], seed: str, population_hash: str, size: int) -> tuple[str, ...]:
    """Return the first `size` items in the order of their hashes.

    Raise ValueError if there are too few items or an id occurs twice.
    """
    ids = list(items)
    if len(set(ids)) != len(ids):
        raise ValueError("an item is in the population twice")
    if not 0 <= size <= len(ids):
        raise ValueError(f"a sample of {size} can't be drawn from {len(ids)} items")
    return tuple(sorted(ids, key=lambda item: (_rank(seed, population_hash, item), item))[:size])


def canonical_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield each row as compact JSON with sorted keys, in UTF-8, ending in a line feed."""
    for row in rows:
        yield (
            json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            + b"\n"
        )


def population_digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of the canonical lines, equal to `sha256sum` of a file with them."""
    running = hashlib.sha256()
    for line in canonical_lines(rows):
        running.update(line)
    return running.hexdigest()


def compact_seed(seed: str) -> str:
    """Return the seed without the spaces used for display."""
    return "".join(seed.split()).lower()


def spaced_seed(seed: str) -> str:
    """Return a generated seed in groups of four, as in 4417 90ce. A chosen seed doesn't change."""
    if not re.fullmatch(r"(?:[0-9a-f]{4})+", seed):
        return seed
    return " ".join(seed[n : n + 4] for n in range(0, len(seed), 4))


def read_table(content: Mapping[str, Any]) -> SampleSizes:
    """Return a table from stored sizes: {cadence: size, "per event": [four sizes]}."""
    sizes = {cadence: int(content[cadence]) for cadence in DEFAULT_TABLE.by_cadence}
    a, b, c, d = (int(n) for n in content["per event"])
    return SampleSizes(OWN_SIZES, sizes, (a, b, c, d))


def stored_table(sizes: Mapping[str, int], per_event: Sequence[int]) -> dict[str, Any]:
    return {**sizes, "per event": list(per_event)}


def _rank(seed: str, population_hash: str, item: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{population_hash}\n{item}".encode()).digest()
