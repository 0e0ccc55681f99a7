"""Storage: objects are hashed while they stream, stored completely or not, and only inside."""

import hashlib
import io
import os
import resource
import socket
import subprocess
import sys
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.kernel import clock
from governance.kernel.errors import Invalid, NotFound, TooLarge, Unavailable
from governance.kernel.files.encrypted_stream import CorruptedFile
from governance.kernel.files.storage import PIECE_BYTES, Bucket, Folder, use
from tests.free_ports import free_port
from tests.hypothesis_profiles import examples
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

LIMIT = 3 * PIECE_BYTES
TENANT = uuid4()


def key_of(tenant_id):
    return hashlib.sha256(tenant_id.bytes).digest()


@pytest.fixture(scope="module")
def s3():
    """Yield a real S3 API on loopback: moto's server, another process.

    The value is the address of an empty bucket in it.
    """
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(60)


def _answers(port):
    with socket.socket() as door:
        return door.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def bucket(s3, monkeypatch):
    """Return a separate bucket."""
    import requests

    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")):
        monkeypatch.setenv(name, value)
    name = f"evidence-{uuid4().hex[:12]}"
    requests.put(f"{s3}/{name}", timeout=60).raise_for_status()
    made = Bucket(f"s3://{name}/console?region=us-east-1&endpoint={s3}", key_of)
    made.name = name
    return made


@pytest.fixture
def store(tmp_path):
    return Folder(tmp_path / "objects")


def files(store):
    return sorted(p for p in store.root.rglob("*") if p.is_file())


@pytest.mark.parametrize("size", [1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, LIMIT])
def test_what_is_written_is_read_back(store, size):
    content = os.urandom(size)
    blob = store.write(TENANT, io.BytesIO(content), limit=LIMIT)
    assert (blob.sha256, blob.size, blob.head) == (
        hashlib.sha256(content).hexdigest(),
        size,
        content[:8192],
    )
    with store.open(blob.key) as file:
        assert file.read() == content
    assert store.exists(blob.key)


@settings(max_examples=examples(20), deadline=None)
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

    with pytest.raises(Unavailable, match="couldn't be saved"):
        store.write(TENANT, Broken(bytes(100)), limit=LIMIT)
    assert files(store) == []


def test_a_full_disk_is_said_and_nothing_stays(store):
    """Limit the size of files: the kernel raises an error of the same kind as for a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PIECE_BYTES, hard))
    try:
        with pytest.raises(
            Unavailable, match=r"couldn't be saved \(File too large\). Nothing was saved"
        ):
            store.write(TENANT, io.BytesIO(bytes(2 * PIECE_BYTES)), limit=LIMIT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert files(store) == []


def test_a_store_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "objects").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="couldn't be saved"):
        Folder(tmp_path / "objects").write(TENANT, io.BytesIO(b"x"), limit=LIMIT)


@pytest.mark.parametrize(
    "key",
    [
        "../secret",
        "/etc/hostname",
        "a/../../secret",
        "",
        ".",
        "nul\0",
        "a" * 5000,
        "missing/aa/bb",
        "link",
    ],
)
def test_no_key_leads_out_of_the_store(store, key):
    store.root.mkdir()
    (store.root.parent / "secret").write_text("not yours")
    (store.root / "link").symlink_to(store.root.parent / "secret")
    with pytest.raises(NotFound, match="missing from storage"):
        store.open(key)
    assert not store.exists(key)


# ---- encryption in a folder and in a bucket


@pytest.fixture(params=["folder", "s3"])
def store_location(request, tmp_path):
    return (
        Folder(tmp_path / "objects", key_of)
        if request.param == "folder"
        else request.getfixturevalue("bucket")
    )


@pytest.mark.parametrize("size", [1, 9 * PIECE_BYTES, 20 * PIECE_BYTES + 7])
def test_under_a_prefix_it_is_encrypted_and_read_back(store_location, size):
    """Upload 20 MB in three parts."""
    content = os.urandom(size)
    blob = store_location.write(
        TENANT, io.BytesIO(content), limit=64 * PIECE_BYTES, prefix="evidence"
    )
    assert (blob.sha256, blob.size, blob.head) == (
        hashlib.sha256(content).hexdigest(),
        size,
        content[:8192],
    )
    assert (
        blob.key == f"{TENANT.hex}/evidence/{blob.sha256[:2]}/{blob.sha256}.sealed"
        and store_location.exists(blob.key)
    )
    with store_location.open(blob.key) as file:
        assert file.read() == content
    lies = store_location._stored(blob.key).read()
    assert len(lies) > size and (size < 32 or content[:32] not in lies)


def test_the_same_bytes_twice_are_one_object(store_location):
    for _ in range(2):
        blob = store_location.write(TENANT, io.BytesIO(b"log"), limit=LIMIT, prefix="evidence")
    assert [key for key, _ in store_location.aged(TENANT.hex)] == [blob.key]
    other = store_location.write(uuid4(), io.BytesIO(b"log"), limit=LIMIT, prefix="evidence")
    assert other.key != blob.key
    [(_, written)] = list(store_location.aged(f"{TENANT.hex}/evidence"))
    assert abs(clock.now() - written) < timedelta(minutes=5)


def test_refused_or_broken_off_nothing_is_there(store_location):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            if self.tell():
                raise ConnectionResetError(104, "Connection reset by peer")
            return super().read(10)

    for stream, refusal in (
        (io.BytesIO(bytes(LIMIT + 1)), TooLarge),
        (io.BytesIO(), Invalid),
        (Broken(bytes(99)), Unavailable),
    ):
        with pytest.raises(refusal):
            store_location.write(TENANT, stream, limit=LIMIT, prefix="evidence")
    assert list(store_location.aged(TENANT.hex)) == []


def test_what_is_altered_swapped_or_gone_is_said(store_location):
    first, second = (
        store_location.write(TENANT, io.BytesIO(c * 100), limit=LIMIT, prefix="evidence")
        for c in (b"a", b"b")
    )
    lies = store_location._stored(first.key).read()
    for bent in (
        lies[:-1],
        lies[:60] + bytes([lies[60] ^ 1]) + lies[61:],
        store_location._stored(second.key).read(),
        b"",
        b"a" * 100,
    ):
        store_location.keep(first.key, bent)
        with (
            pytest.raises(CorruptedFile, match="is corrupted"),
            store_location.open(first.key) as file,
        ):
            file.read()
    store_location.remove(first.key)
    store_location.remove(first.key)
    assert not store_location.exists(first.key)
    with pytest.raises(NotFound, match="missing from storage"):
        store_location.open(first.key)


def test_what_was_written_before_objects_were_sealed_is_still_read(store_location):
    blob = store_location.write(TENANT, io.BytesIO(b"from an earlier version"), limit=LIMIT)
    assert store_location.open(blob.key).read() == b"from an earlier version"


def test_a_bucket_keeps_lists_and_removes_small_objects(store_location):
    store_location.keep("erasures/b.json", b"{}")
    store_location.keep("erasures/a.json", b"1")
    store_location.keep("erasures/a.json", b"2")
    assert (
        store_location.keys("erasures") == ["erasures/a.json", "erasures/b.json"]
        and store_location.keys("nothing") == []
    )
    assert store_location.open("erasures/a.json").read() == b"2"


@pytest.mark.parametrize(
    "key",
    ["../secret", "/etc/hostname", "a/../../secret", "", ".", "nul\0", "a" * 5000, "missing/aa/bb"],
)
def test_no_key_leads_out_of_a_bucket(bucket, key):
    with pytest.raises(NotFound, match="missing from storage"):
        bucket.open(key)
    assert not bucket.exists(key)


class HastyBucket(Bucket):
    patience = "2s"


def test_a_slow_reader_is_not_cut_off(s3, bucket):
    """Read the complete file in more time than one request may take."""
    content = os.urandom(20 * PIECE_BYTES)
    bucket.keep("large", content)
    hasty = HastyBucket(f"s3://{bucket.name}/console?region=us-east-1&endpoint={s3}", key_of)
    with hasty.open("large") as file:
        read = file.read(PIECE_BYTES)
        for _ in range(2):
            time.sleep(1.2)
            read += file.read(9 * PIECE_BYTES)
        read += file.read()
    assert hashlib.sha256(read).digest() == hashlib.sha256(content).digest()


def test_a_store_that_is_down_is_said_and_leaves_nothing(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        down = Bucket(
            f"s3://evidence?region=us-east-1&endpoint=http://127.0.0.1:{nobody.getsockname()[1]}",
            key_of,
        )
        with pytest.raises(
            Unavailable,
            match="couldn't be saved .the object store is unavailable.. Nothing was saved",
        ):
            down.write(TENANT, io.BytesIO(b"x"), limit=LIMIT, prefix="evidence")
        with pytest.raises(Unavailable, match="can't be read right now"):
            down.open("a/b/c")


def test_half_written_files_of_a_killed_process_are_cleared(store):
    folder = store.root / TENANT.hex
    folder.mkdir(parents=True)
    (folder / ".incoming-old").write_bytes(b"half")
    os.utime(folder / ".incoming-old", (1, 1))
    (folder / ".incoming-new").write_bytes(b"under way")
    assert store.clear(TENANT, clock.now() - timedelta(days=1)) == 1
    assert [p.name for p in files(store)] == [".incoming-new"]


@pytest.mark.parametrize("url", ["ftp://there", "s3://bucket?bucket=other", "objects"])
def test_a_store_that_is_none_stops_the_start(url):
    with pytest.raises(SystemExit, match="GOVERNANCE_STORAGE_URL"):
        use(url)
