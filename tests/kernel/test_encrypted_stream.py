"""An encrypted stream, which decrypts to exactly the same bytes or fails."""

import hashlib
import io
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.kernel.files.encrypted_stream import (
    CHUNK_BYTES,
    HEAD_BYTES,
    TAG_BYTES,
    CorruptedFile,
    DecryptedStream,
    StreamEncryptor,
    chunks,
)
from tests.hypothesis_profiles import examples

KEY, OURS = bytes(range(32)), b"tenant a"


def sealed(plain, key=KEY, context=OURS):
    seal = StreamEncryptor(key, context)
    digest = hashlib.sha256(plain).hexdigest()
    parts = [
        seal.seal(chunk, last=last, digest=digest) for chunk, last in chunks(io.BytesIO(plain))
    ]
    return b"".join([seal.head, *parts]), digest


def opened(stored, digest, key=KEY, context=OURS):
    return io.BufferedReader(
        DecryptedStream(io.BytesIO(stored), key, context, digest=digest)
    ).read()


@pytest.mark.parametrize(
    "size",
    [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5],
)
def test_what_is_sealed_opens_again_and_is_nowhere_in_the_clear(size):
    plain = os.urandom(size)
    stored, digest = sealed(plain)
    assert opened(stored, digest) == plain
    assert len(stored) == HEAD_BYTES + size + TAG_BYTES * max(1, -(-size // CHUNK_BYTES))
    assert size < 32 or plain[:32] not in stored


def test_the_same_bytes_twice_are_sealed_differently():
    assert sealed(b"log")[0][HEAD_BYTES:] != sealed(b"log")[0][HEAD_BYTES:]


@settings(max_examples=examples(25))
@given(st.data())
def test_a_changed_bit_anywhere_is_refused(data):
    plain = data.draw(st.binary(min_size=1, max_size=200))
    stored, digest = sealed(plain)
    at = data.draw(st.integers(0, len(stored) - 1))
    bent = bytearray(stored)
    bent[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CorruptedFile):
        opened(bytes(bent), digest)


@given(st.integers(0, HEAD_BYTES + 3 * (CHUNK_BYTES + TAG_BYTES) - 1))
@settings(max_examples=examples(20))
def test_cut_off_anywhere_it_is_refused(at):
    stored, digest = THREE
    with pytest.raises(CorruptedFile):
        opened(stored[:at], digest)


THREE = sealed(bytes(3 * CHUNK_BYTES))


def test_chunks_in_another_order_twice_or_after_the_end_are_refused():
    stored, digest = sealed(os.urandom(3 * CHUNK_BYTES))
    head, a, b, c = (
        stored[:HEAD_BYTES],
        *(
            stored[
                HEAD_BYTES + n * (CHUNK_BYTES + TAG_BYTES) : HEAD_BYTES
                + (n + 1) * (CHUNK_BYTES + TAG_BYTES)
            ]
            for n in range(3)
        ),
    )
    for parts in ((b, a, c), (a, a, b, c), (a, c), (a, b), (a, b, c, c), (a, b, c, b"x")):
        with pytest.raises(CorruptedFile):
            opened(head + b"".join(parts), digest)
    assert opened(head + a + b + c, digest)


def test_another_tenants_key_or_place_or_another_name_opens_nothing():
    stored, digest = sealed(b"log")
    for key, context, name in (
        (bytes(32), OURS, digest),
        (KEY, b"tenant b", digest),
        (KEY, OURS, "0" * 64),
    ):
        with pytest.raises(CorruptedFile):
            opened(stored, name, key, context)


def test_what_was_never_sealed_is_refused():
    for other in (
        b"",
        b"GCSEAL1\n",
        b"%PDF-1.7 in the clear, longer than the head of a sealed stream",
    ):
        with pytest.raises(CorruptedFile):
            opened(other, "0" * 64)
