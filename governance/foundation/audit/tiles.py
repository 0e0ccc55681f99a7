"""The tree as tiles (C2SP tlog-tiles): 256 hashes each, of every eighth level. Pure.

    grow(size, edge, leaves) -> Grown      the new edge, and the tiles that became full
    nodes(size, edge, full) -> Node        the hashes that merkle.py needs, read from tiles
    path(level, index, width)              the standard's name of a tile

The edge is what a growing tree has to keep: of each level the hashes that fill no tile yet, level
by level, from the leaves up. Their number follows from the size.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from governance.foundation.audit.merkle import HASH, Node, node_hash

HEIGHT, WIDTH = 8, 256
LEVELS = 8  # 256^8 leaves are more than there will be
NUMBER = r"(?:x[0-9]{3}/)*[0-9]{3}"
NAME = re.compile(
    rf"(?P<level>[0-9]|[1-5][0-9]|6[0-3]|entries)/(?P<number>{NUMBER})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Full:
    """A tile that will never change."""

    level: int
    index: int
    hashes: bytes


@dataclass(frozen=True, slots=True)
class Grown:
    size: int
    edge: bytes
    full: list[Full]


def grow(size: int, edge: bytes, leaves: Iterable[bytes]) -> Grown:
    """Append leaf hashes to a tree of that size."""
    open_ = [bytearray(part) for part in _parts(size, edge)]
    full: list[Full] = []
    for leaf in leaves:
        open_[0] += leaf
        size += 1
        level = 0
        while len(open_[level]) == WIDTH * HASH:
            hashes = bytes(open_[level])
            full.append(Full(level, (size >> HEIGHT * (level + 1)) - 1, hashes))
            open_[level].clear()
            level += 1
            open_[level] += fold(hashes)
    return Grown(size, b"".join(open_), full)


def widths(size: int) -> list[int]:
    """Return, for each level, how many hashes of a tree of that size fill no tile."""
    return [(size >> HEIGHT * level) % WIDTH for level in range(LEVELS)]


def _parts(size: int, edge: bytes) -> list[bytes]:
    parts, at = [], 0
    for width in widths(size):
        parts.append(edge[at : at + width * HASH])
        at += width * HASH
    if at != len(edge):
        raise ValueError(f"the edge of a tree of {size} has {at} bytes, not {len(edge)}")
    return parts


def fold(hashes: bytes) -> bytes:
    """Return the root over 2^n hashes."""
    row = [hashes[at : at + HASH] for at in range(0, len(hashes), HASH)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def tile(
    level: int, index: int, size: int, edge: bytes, full: Callable[[int, int], bytes]
) -> bytes:
    """Return all hashes that a tree of that size has in a tile.

    These are fewer than 256 at its right edge, none beyond.
    """
    whole = size >> HEIGHT * (level + 1)
    if index < whole:
        return full(level, index)
    return _parts(size, edge)[level] if index == whole else b""


def nodes(size: int, edge: bytes, full: Callable[[int, int], bytes]) -> Node:
    """Return a function for the hashes of complete subtrees, which reads each tile once.

    `full(level, index)` reads a full tile.
    """
    read: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        above, height = divmod(level, HEIGHT)
        first = index << height
        where = (above, first // WIDTH)
        if where not in read:
            read[where] = tile(*where, size, edge, full)
        start = first % WIDTH * HASH
        hashes = read[where][start : start + (HASH << height)]
        if len(hashes) != HASH << height:
            raise LookupError(f"tile {where} of a tree of {size} is too narrow")
        return fold(hashes)

    return node


def path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Return the standard's name, such as "0/x001/234", with ".p/7" for a tile that isn't full."""
    digits = f"{index:0{(len(str(index)) + 2) // 3 * 3}d}"
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"{level}/{name}" + (f".p/{width}" if width < WIDTH else "")


def parse(name: str) -> tuple[str, int, int] | None:
    """Return (level or "entries", index, width) of a tile's name; None for another text."""
    match = NAME.fullmatch(name)
    if not match or len(name) > 60:  # noqa: PLR2004 - longer than any index that can be
        return None
    index, width = int(re.sub(r"[x/]", "", match["number"])), int(match["width"] or WIDTH)
    level = match["level"]
    right = level if level == "entries" else int(level)
    return (
        (level, index, width)
        if width <= WIDTH
        and name == path(right, index, width)
        and (not match["width"] or width < WIDTH)
        else None
    )
