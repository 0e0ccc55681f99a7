"""Envelope encryption: what is sealed opens with its key and in its context, and with nothing else."""

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel import vault


@pytest.fixture(autouse=True, scope="module")
def installation_key():
    before = vault._kek
    vault.use(bytes(range(1, 33)))
    yield
    vault._kek = before


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_what_is_sealed_opens(plain, context):
    key = vault.new_key()
    sealed = vault.encrypt(key, plain, context)
    assert vault.decrypt(key, sealed, context) == plain and len(sealed) == len(plain) + 28
    assert vault.unwrap(vault.wrap(key, context), context) == key


@pytest.mark.parametrize("harm", ["key", "context", "first", "last", "short"])
def test_nothing_else_opens_it(harm):
    key, context = vault.new_key(), b"seal"
    sealed = vault.encrypt(key, b"Ines Duarte", context)
    if harm == "key":
        key = vault.new_key()
    if harm == "context":
        context = b"other"
    bent = {
        "first": bytes([sealed[0] ^ 1]) + sealed[1:],
        "last": sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "short": sealed[:-1],
    }.get(harm, sealed)
    with pytest.raises(InvalidTag):
        vault.decrypt(key, bent, context)


def test_the_same_text_is_never_sealed_alike():
    key = vault.new_key()
    assert len({vault.encrypt(key, b"x", b"") for _ in range(200)}) == 200


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_refused(size):
    with pytest.raises(ValueError, match="32 bytes"):
        vault.use(bytes(size))
