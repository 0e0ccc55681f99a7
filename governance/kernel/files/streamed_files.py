"""A file that is generated while it is read, such as an export or a package, of any size."""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, cast


def reading(pieces: Iterator[bytes], size: int = 1024 * 1024) -> BinaryIO:
    """Return the parts as a file that can be read once; `size` is how much is read at a time."""
    return cast("BinaryIO", io.BufferedReader(_Pieces(pieces), size))


class _Pieces(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces, self._left = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count
