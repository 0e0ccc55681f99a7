"""Envelope encryption: data decrypts only with its key and in its context."""

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel.safety import key_encryption


@pytest.fixture(autouse=True, scope="module")
def installation_key():
    before = key_encryption._service
    key_encryption.use(bytes(range(1, 33)))
    yield
    key_encryption._service = before


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_what_is_sealed_opens(plain, context):
    key = key_encryption.new_key()
    sealed = key_encryption.encrypt(key, plain, context)
    assert key_encryption.decrypt(key, sealed, context) == plain and len(sealed) == len(plain) + 28
    assert key_encryption.unwrap(key_encryption.wrap(key, context), context) == key


@pytest.mark.parametrize("harm", ["key", "context", "first", "last", "short"])
def test_nothing_else_opens_it(harm):
    key, context = key_encryption.new_key(), b"seal"
    sealed = key_encryption.encrypt(key, b"Ines Duarte", context)
    if harm == "key":
        key = key_encryption.new_key()
    if harm == "context":
        context = b"other"
    bent = {
        "first": bytes([sealed[0] ^ 1]) + sealed[1:],
        "last": sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "short": sealed[:-1],
    }.get(harm, sealed)
    with pytest.raises(InvalidTag):
        key_encryption.decrypt(key, bent, context)


def test_the_same_text_is_never_sealed_alike():
    key = key_encryption.new_key()
    assert len({key_encryption.encrypt(key, b"x", b"") for _ in range(200)}) == 200


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_refused(size):
    with pytest.raises(ValueError, match="32 bytes"):
        key_encryption.use(bytes(size))


# ---- the installation's key, and its rotation

OLD, NEW = bytes(range(32)), bytes(range(100, 132))


def test_while_rotating_both_keys_open_and_the_new_one_wraps():
    sealed = key_encryption.Keyring(OLD).wrap(b"secret", b"here")
    both = key_encryption.Keyring(NEW, previous=OLD)
    assert both.unwrap(sealed, b"here") == b"secret"
    assert key_encryption.Keyring(NEW).unwrap(both.wrap(b"secret", b"here"), b"here") == b"secret"
    with pytest.raises(InvalidTag):
        key_encryption.Keyring(NEW).unwrap(sealed, b"here")
    with pytest.raises(InvalidTag):
        both.unwrap(sealed, b"elsewhere")


def test_what_is_rewrapped_needs_the_old_key_no_more_and_is_left_alone_the_second_time():
    both = key_encryption.Keyring(NEW, previous=OLD)
    renewed = both.rewrap(key_encryption.Keyring(OLD).wrap(b"secret", b"here"), b"here")
    assert renewed and key_encryption.Keyring(NEW).unwrap(renewed, b"here") == b"secret"
    assert both.rewrap(renewed, b"here") is None
    with pytest.raises(InvalidTag):
        key_encryption.Keyring(NEW).rewrap(
            key_encryption.Keyring(OLD).wrap(b"secret", b"here"), b"here"
        )


def test_a_key_is_named_without_being_shown():
    named = key_encryption.Keyring(NEW).key_id
    assert (
        named != key_encryption.Keyring(OLD).key_id
        and named == key_encryption.Keyring(NEW, previous=OLD).key_id
    )
    assert NEW.hex()[:8] not in named


def test_a_service_may_keep_the_key_in_the_place_of_files():
    class Reversing:
        key_id = "someone else's"

        def wrap(self, key, context):
            return context + key[::-1]

        def unwrap(self, sealed, context):
            return sealed.removeprefix(context)[::-1]

        def rewrap(self, sealed, context):
            return None

    before = key_encryption.service()
    key_encryption.use(Reversing())
    try:
        assert key_encryption.unwrap(key_encryption.wrap(b"secret", b"here"), b"here") == b"secret"
        assert key_encryption.service().key_id == "someone else's"
    finally:
        key_encryption.use(before)


def test_whatever_is_wrapped_is_declared_so_that_a_rotation_finds_it():
    code = Path(key_encryption.__file__).parents[2]
    wraps = {p for p in code.rglob("*.py") if "key_encryption.wrap(" in p.read_text()}
    silent = {
        str(p.relative_to(code)) for p in wraps if "key_encryption.holds(" not in p.read_text()
    }
    assert len(wraps) > 4
    assert silent == {
        # A connection's secret, which people/sign_in_state.py declares.
        "foundation/identity_providers/connection_actions.py",
        # A link in mail, which no row stores: it ends with the key.
        "foundation/notifications/digests.py",
    }
