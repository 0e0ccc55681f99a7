"""Objects (evidence, reports): written once, hashed while they stream, named by their digest.

    use(url, key_of)           a local folder (`file:/folder`) or an S3-compatible bucket
                               (`s3://bucket/prefix`)
    write(…)                   stream in; under a `prefix` the object is encrypted with its tenant's
                               key (encrypted_stream.py)
    open, exists, remove       one object; open() also reads what was written before objects were
                               encrypted
    keys, aged                 what is stored, for sweeping

An object is complete under its name or not there at all: it is written to a temporary file, and
placed when its digest is known.
"""

import contextlib
import hashlib
import io
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, BinaryIO
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from governance.kernel import clock
from governance.kernel.errors import Invalid, NotFound, TooLarge, Unavailable
from governance.kernel.files import encrypted_stream

PIECE_BYTES = 1024 * 1024
ENCRYPTED_SUFFIX = ".sealed"  # Ends the key of an encrypted object.
PREVIEWS = "previews"  # The prefix of files that are shown before their import, and kept for a day.
PART_BYTES, PARTS_AT_ONCE = (
    8 * 1024 * 1024,
    4,
)  # Parts of a multipart upload: 32 MB in memory, for any size.
MISSING = "The file of this record is missing from storage."
KeyOf = Callable[[UUID], bytes]
GONE = (NotFoundError, FileNotFoundError)  # The errors of obstore, which raises one or the other.


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored object: its digest, bytes, key, and first bytes (to find its type)."""

    sha256: str
    size: int
    key: str
    head: bytes


def _keys_in_use(tenant_id: UUID) -> bytes:
    if _key_of is None:
        raise RuntimeError("no keys of tenants: call use() with key_of first")
    return _key_of(tenant_id)


class ObjectStore(ABC):
    """The interface of all stores. `key_of` returns the key that encrypts a tenant's objects."""

    is_local = False  # True if reading from it calls no other machine.

    def __init__(self, key_of: KeyOf = _keys_in_use) -> None:
        self._key_of = key_of

    def write(
        self, tenant_id: UUID, stream: BinaryIO, *, limit: int, prefix: str | None = None
    ) -> Blob:
        """Store a stream of 1 to `limit` bytes; under a prefix it is encrypted.

        The same bytes twice are one object of a tenant and prefix.
        """
        seal = (
            encrypted_stream.StreamEncryptor(self._key_of(tenant_id), tenant_id.bytes)
            if prefix
            else None
        )
        try:
            with self._incoming(tenant_id) as file:
                digest, size, head = _copy(stream, file, limit, seal)
                name = f"{digest[:2]}/{digest}"
                key = (
                    f"{tenant_id.hex}/{prefix}/{name}{ENCRYPTED_SUFFIX}"
                    if prefix
                    else f"{tenant_id.hex}/{name}"
                )
                self._place(file, key)
        except (OSError, BaseError) as error:
            raise Unavailable(
                f"The file couldn't be saved ({_why(error)}). Nothing was saved."
            ) from error
        return Blob(digest, size, key, head)

    def open(self, key: str) -> BinaryIO:
        """Return the plain bytes.

        Raises NotFound if the object is missing; reading raises CorruptedFile if the bytes are not
        those that were stored.
        """
        file = self._stored(key)
        if not key.endswith(ENCRYPTED_SUFFIX):
            return file
        tenant_id = UUID(key.split("/", 1)[0])
        digest = key.rsplit("/", 1)[-1].removesuffix(ENCRYPTED_SUFFIX)
        try:
            plain = encrypted_stream.DecryptedStream(
                file, self._key_of(tenant_id), tenant_id.bytes, digest=digest
            )
        except BaseException:
            file.close()
            raise
        return io.BufferedReader(plain, encrypted_stream.CHUNK_BYTES)

    @abstractmethod
    def exists(self, key: str) -> bool: ...

    @abstractmethod
    def keep(self, key: str, content: bytes) -> None:
        """Write a small object under a name of ours, durably and completely. Idempotent."""

    @abstractmethod
    def keys(self, folder: str) -> list[str]:
        """Return the keys directly in a folder, in the order of names."""

    @abstractmethod
    def remove(self, key: str) -> None:
        """Remove an object for good; do nothing if it is not there."""

    @abstractmethod
    def aged(self, folder: str) -> Iterator[tuple[str, datetime]]:
        """Yield (key, when it was written) of everything in a folder and below it."""

    # A store without temporary objects has none to clear.
    def clear(self, tenant_id: UUID, before: datetime) -> int:  # noqa: ARG002
        """Remove incomplete uploads of killed processes; return how many."""
        return 0

    @abstractmethod
    def _incoming(self, tenant_id: UUID) -> AbstractContextManager[IO[bytes]]:
        """Open a temporary file that is removed when the block ends, unless it was placed."""

    @abstractmethod
    def _place(self, file: IO[bytes], key: str) -> None: ...

    @abstractmethod
    def _stored(self, key: str) -> BinaryIO:
        """Return the bytes as they are stored."""


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "the upload was interrupted"
    return "the object store is unavailable"


class Folder(ObjectStore):
    """A local folder: write to a temporary file, sync, rename."""

    is_local = True

    def __init__(self, root: Path, key_of: KeyOf = _keys_in_use) -> None:
        super().__init__(key_of)
        self.root = root

    @contextlib.contextmanager
    def _incoming(self, tenant_id: UUID) -> Iterator[IO[bytes]]:
        folder = self.root / tenant_id.hex
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=INCOMING, delete=False) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)  # A file that was placed has another name.

    def _stored(self, key: str) -> BinaryIO:
        path = self._path(key)
        if path is None:
            raise NotFound(MISSING)
        try:
            return path.open("rb")
        except OSError as error:
            raise Unavailable(
                f"The file couldn't be read ({error.strerror}). Try again in a moment."
            ) from error

    def exists(self, key: str) -> bool:
        return self._path(key) is not None

    def keep(self, key: str, content: bytes) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.root, prefix=INCOMING, delete=False) as file:
                file.write(content)
                self._place(file, key)
        except OSError as error:
            raise Unavailable(
                f"The file couldn't be written to storage ({error.strerror}). Nothing was saved."
            ) from error

    def keys(self, folder: str) -> list[str]:
        try:
            return sorted(
                f"{folder}/{p.name}"
                for p in (self.root / folder).iterdir()
                if not p.name.startswith(".")
            )
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Unavailable(f"Storage can't be read ({error.strerror}).") from error

    def remove(self, key: str) -> None:
        path = self._path(key)
        if path is not None:
            path.unlink(missing_ok=True)
            _sync(path.parent)

    def aged(self, folder: str) -> Iterator[tuple[str, datetime]]:
        for path in sorted((self.root / folder).rglob("*")):
            with contextlib.suppress(FileNotFoundError):  # Another process may have removed it.
                if path.is_file():
                    yield str(path.relative_to(self.root)), _written(path)

    def clear(self, tenant_id: UUID, before: datetime) -> int:
        left = [p for p in (self.root / tenant_id.hex).glob(f"{INCOMING}*") if _written(p) < before]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _place(self, file: IO[bytes], key: str) -> None:
        file.flush()
        os.fsync(file.fileno())
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(file.name).replace(target)
        _sync(target.parent)

    def _path(self, key: str) -> Path | None:
        """Return the file of a key, if there is one and it is inside the store."""
        try:
            path = (self.root / key).resolve()
            return path if path.is_relative_to(self.root.resolve()) and path.is_file() else None
        except (ValueError, OSError):
            return None


INCOMING = ".incoming-"


def _written(path: Path) -> datetime:
    return clock.from_machine(datetime.fromtimestamp(path.stat().st_mtime, UTC))


def _sync(folder: Path) -> None:
    """Sync a folder: a renamed file is only as durable as the folder that names it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Bucket(ObjectStore):
    """An S3-compatible bucket.

    An object is encrypted into a temporary file of this machine, and sent when its digest is known.
    """

    patience = "120s"  # Time for one request with its body: a range, or a part.

    def __init__(self, url: str, key_of: KeyOf = _keys_in_use) -> None:
        """Open `s3://bucket/prefix`, with `?region=…` and `&endpoint=…`.

        The endpoint is for another provider than Amazon; credentials are as AWS's own tools read
        them.
        """
        super().__init__(key_of)
        parts = urlsplit(url)
        options: Any = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if unknown := options.keys() - {"region", "endpoint"}:
            raise SystemExit(
                f"GOVERNANCE_STORAGE_URL: {min(unknown)} isn't an option of s3://; the options are"
                " region and endpoint"
            )
        self._store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=options,
            client_options={
                "allow_http": options.get("endpoint", "").startswith("http://"),
                "connect_timeout": "5s",
                "timeout": self.patience,
            },
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)},
        )

    @contextlib.contextmanager
    # The file has no name.
    def _incoming(self, tenant_id: UUID) -> Iterator[IO[bytes]]:  # noqa: ARG002
        with tempfile.TemporaryFile() as file:
            yield file

    def _place(self, file: IO[bytes], key: str) -> None:
        file.flush()
        file.seek(0)
        obstore.put(self._store, key, file, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)

    def _stored(self, key: str) -> BinaryIO:
        if not _plain_key(key):
            raise NotFound(MISSING)
        with _away("read"):
            try:
                return io.BufferedReader(
                    _Received(obstore.open_reader(self._store, key, buffer_size=PART_BYTES)),
                    PIECE_BYTES,
                )
            except GONE as error:
                raise NotFound(MISSING) from error

    def exists(self, key: str) -> bool:
        if not _plain_key(key):
            return False
        with _away("read"):
            try:
                obstore.head(self._store, key)
            except GONE:
                return False
            return True

    def keep(self, key: str, content: bytes) -> None:
        with _away("written"):
            obstore.put(self._store, key, content)

    def keys(self, folder: str) -> list[str]:
        with _away("read"):
            return sorted(
                each["path"] for each in obstore.list_with_delimiter(self._store, folder)["objects"]
            )

    def remove(self, key: str) -> None:
        with _away("written"), contextlib.suppress(*GONE):
            obstore.delete(self._store, key)

    def aged(self, folder: str) -> Iterator[tuple[str, datetime]]:
        with _away("read"):
            for some in obstore.list(self._store, folder):
                yield from (
                    (each["path"], clock.from_machine(each["last_modified"])) for each in some
                )


class _Received(io.RawIOBase):
    """The bucket's answer, as a file.

    It is read range by range, so that a slow reader keeps no request open until it is cut off.
    """

    def __init__(self, reader: "obstore.ReadableFile") -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    # The signature with which io calls it.
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with _away("read"):
            piece = self._reader.read(len(buffer))
        buffer[: len(piece)] = memoryview(piece)
        return len(piece)


@contextlib.contextmanager
def _away(verb: str) -> Iterator[None]:
    try:
        yield
    except GONE:
        raise
    except (BaseError, OSError) as error:
        raise Unavailable(
            f"The object store can't be {verb} right now. Try again in a moment."
        ) from error


def _plain_key(key: str) -> bool:
    """Return whether it is a key of ours: nothing that leads out of the bucket's prefix."""
    parts = key.split("/")
    # S3 accepts 1024 bytes.
    return key.isprintable() and len(key) < 1000 and not {"", ".", ".."} & set(parts)  # noqa: PLR2004


def _copy(
    source: BinaryIO, target: IO[bytes], limit: int, seal: encrypted_stream.StreamEncryptor | None
) -> tuple[str, int, bytes]:
    """Copy a stream to the target, encrypted or plain; return (digest, size, first bytes).

    All three are those of the plain stream.
    """
    digest, size, head = hashlib.sha256(), 0, b""
    if seal:
        target.write(seal.head)
    for piece, last in encrypted_stream.chunks(source):
        size += len(piece)
        if size > limit:
            raise TooLarge(
                f"The file is larger than {limit // PIECE_BYTES} MB, the limit. Nothing was saved.",
                field="file",
            )
        if not size:
            raise Invalid("The file is empty: it has 0 bytes.", field="file")
        head = head or piece[:8192]
        digest.update(piece)
        target.write(
            seal.seal(piece, last=last, digest=digest.hexdigest() if last else "")
            if seal
            else piece
        )
    return digest.hexdigest(), size, head


_store: ObjectStore | None = None
_key_of: KeyOf | None = None


def use(url: str | ObjectStore, key_of: KeyOf | None = None) -> None:
    """Choose the store by URL, or give one.

    The URL is `file:/folder`, or `s3://bucket/prefix?region=…&endpoint=…`. `key_of`: once for all
    stores.
    """
    global _store, _key_of  # noqa: PLW0603 - one process, one store
    _key_of = key_of or _key_of
    if isinstance(url, ObjectStore):
        _store = url
    elif url.startswith("s3://"):
        _store = Bucket(url)
    elif url.startswith("file:"):
        _store = Folder(Path(url.removeprefix("file:")))
    else:
        raise SystemExit(
            f"GOVERNANCE_STORAGE_URL {url.split(':', maxsplit=1)[0]}: isn't supported; use"
            " file:/folder or s3://bucket"
        )


def store() -> ObjectStore:
    if _store is None:
        raise RuntimeError("no object store: call use() first")
    return _store


def pieces(key: str) -> Iterator[bytes]:
    """Return the object in parts of a megabyte, for a streamed answer.

    It is opened now, since the answer is sent when nobody acts any more.
    """
    return in_pieces(store().open(key))


def in_pieces(file: BinaryIO) -> Iterator[bytes]:
    """Return the parts of a file. The first is read now, so that an error can still be shown."""
    try:
        first = file.read(PIECE_BYTES)
    except BaseException:
        file.close()
        raise
    return _rest(first, file)


def _rest(piece: bytes, file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece:
            yield piece
            piece = file.read(PIECE_BYTES)
