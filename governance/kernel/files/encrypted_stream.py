"""A stream encrypted in chunks, so that neither end ever has all of it in memory.

The cipher is AES-256-GCM under a key of its own.

    StreamEncryptor(key, context)              encrypts chunk by chunk: `head`, then seal(chunk) …,
                                               and the last chunk with the digest
    DecryptedStream(file, key, context, …)     a file that decrypts them again, and raises at the
                                               first chunk that is not right
    chunks(stream)                             a stream in chunks of one size, each with whether it
                                               is the last

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015,
https://eprint.iacr.org/2015/189), as Tink and age use it: a chunk's nonce is its number and a mark
on the last one, so a chunk that is missing, repeated, in another place or cut off does not decrypt.
The key of each stream comes from the tenant's by HKDF with a random salt; `context` says whose it
is. The last chunk is bound to the digest of the complete stream, by which the object is named: one
object put in another's place does not decrypt either. Pure: no store, no clock.
"""

import io
import os
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from governance.kernel.errors import DomainError

CHUNK_BYTES = 256 * 1024
TAG_BYTES = 16
MAGIC, SALT = b"GCSEAL1\n", 32
HEAD_BYTES = len(MAGIC) + SALT
NONCE_PREFIX_BYTES = (
    7  # Bytes of the nonce before the chunk's number (4) and the mark of the last one (1).
)
MAX_CHUNKS = 2**32  # Chunks: a pebibyte.


class CorruptedFile(DomainError):
    """The stored bytes are not those that were stored."""


def chunks(stream: BinaryIO, size: int = CHUNK_BYTES) -> Iterator[tuple[bytes, bool]]:
    """Yield (chunk, is it the last) of a stream, for any size of its reads.

    An empty stream has one empty chunk.
    """
    held = _filled(stream, size)
    while True:
        following = _filled(stream, size) if len(held) == size else b""
        yield held, not following
        if not following:
            return
        held = following


def _filled(stream: BinaryIO, size: int) -> bytes:
    """Read exactly `size` bytes, or fewer at the end of the stream."""
    piece = stream.read(size)
    if not piece or len(piece) == size:
        return piece
    parts, have = [piece], len(piece)
    while have < size and (piece := stream.read(size - have)):
        parts.append(piece)
        have += len(piece)
    return b"".join(parts)


class StreamEncryptor:
    """Encrypts one stream. `head` comes first; every chunk but the last has CHUNK bytes."""

    def __init__(self, key: bytes, context: bytes) -> None:
        salt = os.urandom(SALT)
        self.head = MAGIC + salt
        self._cipher, self._prefix = _derived(key, salt, context)
        self._number = 0

    def seal(self, chunk: bytes, *, last: bool = False, digest: str = "") -> bytes:
        """Encrypt a chunk. The last one comes with the digest of the complete plain stream."""
        nonce = _nonce(self._prefix, self._number, last=last)
        self._number += 1
        return self._cipher.encrypt(nonce, chunk, digest.encode() if last else None)


class DecryptedStream(io.RawIOBase):
    """The plain bytes of an encrypted file.

    Raises CorruptedFile at the first chunk that was changed, moved or cut off.
    """

    def __init__(self, file: BinaryIO, key: bytes, context: bytes, *, digest: str) -> None:
        self._file, self._digest = file, digest
        head = _filled(file, HEAD_BYTES)
        if len(head) < HEAD_BYTES or not head.startswith(MAGIC):
            raise CorruptedFile(CORRUPTED)
        self._cipher, self._prefix = _derived(key, head[len(MAGIC) :], context)
        self._sealed = chunks(file, CHUNK_BYTES + TAG_BYTES)
        self._number, self._plain, self._over = 0, memoryview(b""), False

    def readable(self) -> bool:
        return True

    # The signature with which io calls it.
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._plain and not self._over:
            self._plain = memoryview(self._opened())
        taken = min(len(buffer), len(self._plain))
        buffer[:taken] = self._plain[:taken]
        self._plain = self._plain[taken:]
        return taken

    def _opened(self) -> bytes:
        sealed, last = next(self._sealed)
        try:
            nonce = _nonce(self._prefix, self._number, last=last)
            plain = self._cipher.decrypt(nonce, sealed, self._digest.encode() if last else None)
        except (InvalidTag, ValueError) as error:
            raise CorruptedFile(CORRUPTED) from error
        self._number, self._over = self._number + 1, last
        return plain

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


CORRUPTED = "The stored file is corrupted: it isn't the file that was uploaded."


def _derived(key: bytes, salt: bytes, context: bytes) -> tuple[AESGCM, bytes]:
    """Derive the stream's own key, and the beginning of its nonces."""
    made = HKDF(
        SHA256(), 32 + NONCE_PREFIX_BYTES, salt, b"governance sealed stream 1\0" + context
    ).derive(key)
    return AESGCM(made[:32]), made[32:]


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    if number >= MAX_CHUNKS:
        raise OverflowError("a sealed stream has at most 2^32 chunks")
    return prefix + number.to_bytes(4, "big") + bytes([last])
