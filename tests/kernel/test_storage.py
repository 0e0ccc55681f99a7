"""Objects: hashed while they stream, whole or not at all, and never outside the store."""

import hashlib
import io
import os
import resource
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.kernel.errors import Invalid, NotFound, TooLarge, Unavailable
from governance.kernel.storage import PIECE, Folder

LIMIT = 3 * PIECE
TENANT = uuid4()


@pytest.fixture
def store(tmp_path):
    return Folder(tmp_path / "objects")


def files(store):
    return sorted(p for p in store.root.rglob("*") if p.is_file())


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, LIMIT])
def test_what_is_written_is_read_back(store, size):
    content = os.urandom(size)
    blob = store.write(TENANT, io.BytesIO(content), limit=LIMIT)
    assert (blob.sha256, blob.size, blob.head) == (hashlib.sha256(content).hexdigest(), size, content[:8192])
    with store.open(blob.key) as file:
        assert file.read() == content
    assert store.exists(blob.key)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1))
def test_the_digest_does_not_depend_on_the_pieces(tmp_path_factory, pieces):
    class Trickle(io.BytesIO):
        def read(self, size=-1):
            return rest.pop(0) if rest else b""

    rest = list(pieces)
    blob = Folder(tmp_path_factory.mktemp("o")).write(TENANT, Trickle(), limit=LIMIT)
    assert blob.sha256 == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_one_byte_too_many_is_refused_and_nothing_stays(store):
    with pytest.raises(TooLarge, match="larger than 3 MB") as refusal:
        store.write(TENANT, io.BytesIO(bytes(LIMIT + 1)), limit=LIMIT)
    assert refusal.value.field == "file" and files(store) == []


def test_an_empty_file_is_refused_and_nothing_stays(store):
    with pytest.raises(Invalid, match="0 bytes"):
        store.write(TENANT, io.BytesIO(), limit=LIMIT)
    assert files(store) == []


def test_the_same_bytes_twice_are_one_object_of_a_tenant_and_two_of_two(store):
    first, second = (store.write(TENANT, io.BytesIO(b"log"), limit=LIMIT) for _ in range(2))
    assert first == second and len(files(store)) == 1
    assert store.write(uuid4(), io.BytesIO(b"log"), limit=LIMIT).key != first.key
    assert len(files(store)) == 2


def test_a_stream_that_breaks_leaves_nothing(store):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            if self.tell():
                raise ConnectionResetError(104, "Connection reset by peer")
            return super().read(10)

    with pytest.raises(Unavailable, match="could not be stored"):
        store.write(TENANT, Broken(bytes(100)), limit=LIMIT)
    assert files(store) == []


def test_a_full_disk_is_said_and_nothing_stays(store):
    """A limit of the process on the size of files gives the error of a full disk's kind, from the kernel itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PIECE, hard))
    try:
        with pytest.raises(Unavailable, match=r"could not be stored \(File too large\). Nothing was saved"):
            store.write(TENANT, io.BytesIO(bytes(2 * PIECE)), limit=LIMIT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert files(store) == []


def test_a_store_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "objects").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="could not be stored"):
        Folder(tmp_path / "objects").write(TENANT, io.BytesIO(b"x"), limit=LIMIT)


@pytest.mark.parametrize(
    "key", ["../secret", "/etc/hostname", "a/../../secret", "", ".", "nul\0", "a" * 5000, "missing/aa/bb", "link"]
)
def test_no_key_leads_out_of_the_store(store, key):
    store.root.mkdir()
    (store.root.parent / "secret").write_text("not yours")
    (store.root / "link").symlink_to(store.root.parent / "secret")
    with pytest.raises(NotFound, match="missing from the store"):
        store.open(key)
    assert not store.exists(key)
