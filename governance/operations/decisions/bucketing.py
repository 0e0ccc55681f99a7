"""Bucketing of rollouts: a stable hash of the feature's salt and the targeting key. Pure.

hash64(text)             64 bits of a salt or of a targeting key
bucket(salt, key)        0 to 999,999; a key is in at a share of n millionths if it is below n
threshold(share)         the same comparison on 64 bits
ManyBuckets(…)           the same for one key and many features

A key that is in at one share is in at every larger one, because its bucket never changes. The
salt belongs to the feature: its next rollout reaches the same keys first, and rollouts of two
features reach unrelated keys. docs/api.md has the algorithm and examples for products that
decide at the edge. Source of `mix`: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
"""

import hashlib
import threading
from collections.abc import Sequence
from itertools import batched

MILLION = 1_000_000
BITS = 64
MASK = (1 << BITS) - 1
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
GROUP = 4  # Features per number, so that a key needs few lookups
MANY = 16  # From this number of features, NumPy is faster than a loop; it isn't loaded for fewer.
NUMBERS = bytes(int(chr(n), 16) if chr(n) in "0123456789abcdef" else 0 for n in range(256))
PART = 500  # Features per NumPy operation; it releases the GIL for more than 500 elements


def hash64(text: str) -> int:
    """Return the first 64 bits of the SHA-256 of a text in UTF-8."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def mix(salt: int, key: int) -> int:
    """Return 64 bits for the hashes of a salt and of a key."""
    x = salt ^ key
    x = (x ^ x >> 30) * FIRST & MASK
    x = (x ^ x >> 27) * SECOND & MASK
    return x ^ x >> 31


def bucket(salt: str, key: str) -> int:
    """Return the bucket of a targeting key, from 0 to 999,999."""
    return mix(hash64(salt), hash64(key)) * MILLION >> BITS


def threshold(share: int) -> int:
    """Return the number below which `mix` is in a bucket below `share`, in millionths."""
    return -(-(share << BITS) // MILLION)


class ManyBuckets:
    """Buckets of many features, built once and queried for each key.

    `shares` are in millionths, each below 100%.
    """

    def __init__(self, salts: Sequence[int], shares: Sequence[int]) -> None:
        self._each = [(s, threshold(share)) for s, share in zip(salts, shares, strict=True)]
        self._arrays = _Arrays(self._each) if len(self._each) >= MANY else None

    def groups(self, key: int) -> bytes:
        """Return a number for each GROUP of features; its bits are 1 if the key is in."""
        if self._arrays is None:
            return grouped([mix(salt, key) < below for salt, below in self._each])
        return self._arrays.groups(key)


def grouped(held: Sequence[bool]) -> bytes:
    """Return a number for each GROUP of values, with the first one in the highest bit."""
    return bytes(
        sum(8 >> place for place, is_in in enumerate(some) if is_in)
        for some in batched(held, GROUP)
    )


def _folded(number: int) -> int:
    """Return the first step of `mix`, which is the same for a XOR as for each of its two parts."""
    return number ^ number >> 30


class _Arrays(threading.local):
    """Folded salts and thresholds in parts, each with thread-local buffers for its results."""

    def __init__(self, each: Sequence[tuple[int, int]]) -> None:
        import numpy as np  # noqa: PLC0415 - only a tenant with many rollouts needs it

        self._np, self._count = np, -(-len(each) // GROUP)
        self._constants = [np.uint64(number) for number in (27, 31, FIRST, SECOND)]
        self._held = np.zeros(-(-len(each) // 8) * 8, np.bool)
        self._parts = [
            (
                np.array([_folded(salt) for salt, _ in part], np.uint64),
                np.array([below for _, below in part], np.uint64),
                np.empty(len(part), np.uint64),
                np.empty(len(part), np.uint64),
                self._held[place * PART : place * PART + len(part)],
            )
            for place, part in enumerate(batched(each, PART))
        ]

    def groups(self, key: int) -> bytes:
        np, (at_27, at_31, first, second) = self._np, self._constants
        xor, multiply, shift = np.bitwise_xor, np.multiply, np.right_shift
        this = np.uint64(_folded(key))
        for salts, below, x, y, held in self._parts:
            xor(salts, this, x)
            multiply(x, first, x)
            shift(x, at_27, y)
            xor(x, y, x)
            multiply(x, second, x)
            shift(x, at_31, y)
            xor(x, y, x)
            np.less(x, below, held)
        digits: str = np.packbits(self._held).tobytes().hex()  # Each digit has four features.
        return digits.encode().translate(NUMBERS)[: self._count]
