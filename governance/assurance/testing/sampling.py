"""How many items of a population are tested, and which.

Pure, and reproducible by anybody with the same three things.

    advised(table, cadence, population)      how many, by a stated table; never more than there are
    draw(items, seed, population_hash, size) which: in the order of SHA-256(seed ‖ population hash ‖
    item)
    digest(rows)                             the hash of a population: its rows as JSON, keys in
                                             order, one a line
    HOUSE                                    our table, a house default: no standard sets sizes,
                                             practice gives ranges

The draw can be repeated with a spreadsheet's hash function: join the seed, the population's hash
and the item's id with line feeds, hash each, sort by the hash, take the first.
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
LABEL = "house default"
BANDS = ("up to 25", "26 to 100", "101 to 250", "over 250")
_EDGES = (25, 100, 250)


@dataclass(frozen=True, slots=True)
class SampleSizes:
    """Sizes by cadence; what follows events has one for each band of the population.

    `name` stands beside every sample.
    """

    name: str
    by_cadence: Mapping[str, int]
    per_event: tuple[int, int, int, int]


# Seen ranges: yearly 1, quarterly 2 to 4, monthly 2 to 6, weekly 5 to 15, daily 15 to 40, per event
# 20 to 60 and all when few.
HOUSE = SampleSizes(
    LABEL,
    {"yearly": 1, "half-yearly": 2, "quarterly": 3, "monthly": 6, "weekly": 10, "daily": 25},
    (25, 25, 40, 60),
)


@dataclass(frozen=True, slots=True)
class Advice:
    """How many, and the rule in words as it is kept with the sample."""

    size: int
    rule: str


def advised(table: SampleSizes, cadence: str, population: int) -> Advice:
    """The size for a control of that cadence and a population of so many items; 0 only for an empty
    one.
    """
    if population < 0:
        raise ValueError("a population has no fewer than 0 items")
    if cadence in table.by_cadence:
        wanted, when = table.by_cadence[cadence], f"when {cadence}"
    else:
        band = band_of(population)
        wanted, when = table.per_event[band], f"per event, for a population of {BANDS[band]}"
    if wanted >= population:
        return Advice(
            population, f"all, since {wanted} {when} is no fewer than there are ({table.name})"
        )
    return Advice(wanted, f"{wanted} {when} ({table.name})")


def band_of(population: int) -> int:
    """Which of BANDS a population of that many items is in."""
    return sum(population > edge for edge in _EDGES)


def draw(items: Iterable[str], seed: str, population_hash: str, size: int) -> tuple[str, ...]:
    """The first `size` items in the order of their hashes.

    Raises ValueError for more than there are, or an id twice.
    """
    held = list(items)
    if len(set(held)) != len(held):
        raise ValueError("an item is in the population twice")
    if not 0 <= size <= len(held):
        raise ValueError(f"a sample of {size} cannot come of {len(held)} items")
    return tuple(sorted(held, key=lambda item: (_rank(seed, population_hash, item), item))[:size])


def lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The rows in their order, each as JSON with sorted keys, without spaces, in UTF-8, and a line
    feed.
    """
    for row in rows:
        yield (
            json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            + b"\n"
        )


def digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 over these lines: what `sha256sum` says of a file of them."""
    running = hashlib.sha256()
    for line in lines(rows):
        running.update(line)
    return running.hexdigest()


def plain_seed(seed: str) -> str:
    """The seed without the spaces that it is shown with."""
    return "".join(seed.split()).lower()


def spaced(seed: str) -> str:
    """4417 90ce: as people read it out.

    One that somebody made up stays as it is: it is no row of figures.
    """
    if not re.fullmatch(r"(?:[0-9a-f]{4})+", seed):
        return seed
    return " ".join(seed[n : n + 4] for n in range(0, len(seed), 4))


def table_of(content: Mapping[str, Any]) -> SampleSizes:
    """A table as it is kept: {cadence: size, "per event": [four sizes]}."""
    sizes = {cadence: int(content[cadence]) for cadence in HOUSE.by_cadence}
    a, b, c, d = (int(n) for n in content["per event"])
    return SampleSizes(LABEL, sizes, (a, b, c, d))


def kept(sizes: Mapping[str, int], per_event: Sequence[int]) -> dict[str, Any]:
    return {**sizes, "per event": list(per_event)}


def _rank(seed: str, population_hash: str, item: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{population_hash}\n{item}".encode()).digest()
