"""The Merkle tree of RFC 6962, and its proofs as RFC 9162 verifies them. Pure: bytes in, bytes out.

    root(size, node)                     the tree's hash
    inclusion(index, size, node)         the path of one leaf
    consistency(old, new, node)          that the tree of `old` leaves is the beginning of that of
                                         `new`
    verify_inclusion(…), verify_consistency(…)   raise ProofFails, which says what is wrong

`node(level, index)` returns the hash of the complete subtree over the leaves [index * 2^level,
(index + 1) * 2^level). Other people's verifiers check the same proofs.
"""

import hashlib
from collections.abc import Callable, Sequence

HASH = 32
EMPTY = hashlib.sha256(b"").digest()
MAX_LEAVES = 2**63 - 1
type Node = Callable[[int, int], bytes]


class ProofFails(ValueError):
    """The proof is wrong; the message says why in one sentence."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


# ---- making


def root(size: int, node: Node) -> bytes:
    """Return the hash of the tree over the first `size` leaves (RFC 6962, 2.1)."""
    return _range(0, size, node) if size else EMPTY


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """Return PATH(index, D[size]): the siblings from the leaf up (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} has no leaf {index}")
    start, path = 0, []
    while size > 1:
        half = _half(size)
        if index < half:
            path.append((start + half, size - half))
            size = half
        else:
            path.append((start, half))
            start, index, size = start + half, index - half, size - half
    return [_range(first, count, node) for first, count in reversed(path)]


def consistency(old: int, new: int, node: Node) -> list[bytes]:
    """Return PROOF(old, D[new]) (RFC 6962, 2.1.2); empty when the two are the same size."""
    if not 0 < old <= new:
        raise ValueError(f"no proof leads from {old} leaves to {new}")
    start, whole, path = 0, True, []
    while old != new:
        half = _half(new)
        if old <= half:
            path.append((start + half, new - half))
            new = half
        else:
            path.append((start, half))
            start, old, new, whole = start + half, old - half, new - half, False
    ends = [] if whole else [(start, new)]
    return [_range(first, count, node) for first, count in [*ends, *reversed(path)]]


def _half(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _range(start: int, count: int, node: Node) -> bytes:
    """Return the hash over [start, start + count), from its complete subtrees, right to left."""
    found = b""
    end = start + count
    while end > start:
        level = ((end - start) & -(end - start)).bit_length() - 1
        part = node(level, (end >> level) - 1)
        found = node_hash(part, found) if found else part
        end -= 1 << level
    return found


# ---- checking


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root_: bytes
) -> None:
    """Verify that a leaf is at `index` in the tree of `size` leaves with this root.

    Raises ProofFails otherwise. Source: RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size <= MAX_LEAVES:
        raise ProofFails(f"There is no entry {index} in a tree of {size}.")
    if root_from(leaf, index, size, path) != _sound(root_):
        raise ProofFails(
            f"Entry {index} does not lead to the signed root: it, its place or its proof was"
            " changed."
        )


def root_from(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that this leaf and path lead to."""
    at, last, found = index, size - 1, _sound(leaf)
    for sibling in path:
        if last == 0:
            raise ProofFails(f"The proof of entry {index} is too long.")
        if at & 1 or at == last:
            found = node_hash(_sound(sibling), found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, _sound(sibling))
        at, last = at >> 1, last >> 1
    if last:
        raise ProofFails(f"The proof of entry {index} is too short.")
    return found


def verify_consistency(
    old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Verify that the tree of `old` leaves is the beginning of that of `new`.

    Raises ProofFails otherwise. An empty tree proves nothing, so it is rejected. Two trees of one
    size must be the same. Source: RFC 9162, 2.1.4.2.
    """
    if not 0 < old <= new <= MAX_LEAVES:
        raise ProofFails(f"A tree of {old} cannot be the beginning of one of {new}.")
    if old == new:
        if path or _sound(old_root) != _sound(new_root):
            raise ProofFails(f"Two trees of {old} have different roots: the log was forked.")
    elif _roots_from(old, new, path, old_root) != (_sound(old_root), _sound(new_root)):
        raise ProofFails(
            f"The tree of {old} is not the beginning of that of {new}: history was rewritten."
        )


def _roots_from(old: int, new: int, path: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """Return the roots of both trees that a consistency proof leads to."""
    is_whole = old & (old - 1) == 0
    hashes = [_sound(each) for each in ([old_root, *path] if is_whole else path)]
    if not path:
        raise ProofFails("The proof is empty.")
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            raise ProofFails("The proof is too long.")
        if at & 1 or at == last:
            first, second = node_hash(each, first), node_hash(each, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, each)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofFails("The proof is too short.")
    return first, second


def _sound(hash_: bytes) -> bytes:
    if len(hash_) != HASH:
        raise ProofFails(f"A hash has {len(hash_)} bytes instead of {HASH}.")
    return hash_
