"""The roots that a log had at smaller sizes, computed from hashes alone. Pure.

    subtrees(edges)      the complete subtrees between these sizes, from left to right
    Frontier().add(…)    join them again: at each edge its root is the one that the log had at that
                         size

If all subtrees together lead to a signed root, each root on the way is genuine: changing one would
need a collision of SHA-256.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce

from governance.foundation.audit.merkle import EMPTY, node_hash


def subtrees(edges: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield (level, first place) of the largest complete subtrees that cross none of these sizes.

    The sizes are in ascending order.
    """
    start = 0
    for edge in edges:
        while start < edge:
            fits = (edge - start).bit_length() - 1
            level = min(fits, (start & -start).bit_length() - 1) if start else fits
            yield level, start
            start += 1 << level


@dataclass(slots=True)
class Frontier:
    """A tree of `size` entries as the roots of its complete subtrees, the largest first."""

    size: int = 0
    roots: list[bytes] = field(default_factory=list)

    def add(self, node: bytes, level: int = 0) -> None:
        """Append the root over 2^level entries.

        Raises ValueError where no such subtree can begin.
        """
        if self.size & ((1 << level) - 1):
            raise ValueError(f"no subtree of level {level} begins at place {self.size}")
        at = self.size >> level
        while at & 1:
            node, at = node_hash(self.roots.pop(), node), at >> 1
        self.roots.append(node)
        self.size += 1 << level

    def root(self) -> bytes:
        return (
            reduce(lambda right, left: node_hash(left, right), reversed(self.roots))
            if self.roots
            else EMPTY
        )
