"""Objects (evidence, reports): written once, hashed while they stream, found by their tenant and digest."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

from governance.kernel.errors import Invalid, NotFound, TooLarge, Unavailable

PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Blob:
    """What was stored: its digest, bytes, key in the store, and its first bytes (for finding its type)."""

    sha256: str
    size: int
    key: str
    head: bytes


class ObjectStore(Protocol):
    def write(self, tenant_id: UUID, stream: BinaryIO, *, limit: int) -> Blob: ...
    def open(self, key: str) -> BinaryIO: ...
    def exists(self, key: str) -> bool: ...
    def keep(self, key: str, content: bytes) -> None: ...
    def keys(self, folder: str) -> list[str]: ...
    def remove(self, key: str) -> None: ...


class Folder:
    """A local folder: write to a temporary file, sync, rename; the same bytes twice are one object per tenant."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, tenant_id: UUID, stream: BinaryIO, *, limit: int) -> Blob:
        folder = self.root / tenant_id.hex
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder, prefix=".incoming-")
            try:
                with os.fdopen(handle, "wb") as file:
                    digest, size, head = _copy(stream, file, limit)
                    file.flush()
                    os.fsync(file.fileno())
                key = f"{tenant_id.hex}/{digest[:2]}/{digest}"
                self._place(Path(name), key)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    Path(name).unlink()
                raise
        except OSError as error:
            raise Unavailable(f"The file could not be stored ({error.strerror}). Nothing was saved.") from error
        return Blob(digest, size, key, head)

    def open(self, key: str) -> BinaryIO:
        path = self._path(key)
        if path is None:
            raise NotFound("The file behind this record is missing from the store.")
        try:
            return path.open("rb")
        except OSError as error:
            raise Unavailable(f"The file could not be read ({error.strerror}). Try again in a moment.") from error

    def exists(self, key: str) -> bool:
        return self._path(key) is not None

    def keep(self, key: str, content: bytes) -> None:
        """A small object under a name of ours: whole and on the disk when this returns, also when done twice."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.root, prefix=".incoming-")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            self._place(Path(name), key)
        except OSError as error:
            raise Unavailable(f"The store cannot be written ({error.strerror}). Nothing was saved.") from error

    def keys(self, folder: str) -> list[str]:
        """What lies directly in a folder, in the order of names."""
        try:
            return sorted(f"{folder}/{p.name}" for p in (self.root / folder).iterdir() if not p.name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Unavailable(f"The store cannot be read ({error.strerror}).") from error

    def remove(self, key: str) -> None:
        """For good; what is not there is removed already."""
        path = self._path(key)
        if path is not None:
            path.unlink(missing_ok=True)
            _sync(path.parent)

    def _place(self, file: Path, key: str) -> None:
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
        _sync(target.parent)

    def _path(self, key: str) -> Path | None:
        """The file of a key, if there is one and it lies inside the store."""
        try:
            path = (self.root / key).resolve()
            return path if path.is_relative_to(self.root.resolve()) and path.is_file() else None
        except (ValueError, OSError):
            return None


def _sync(folder: Path) -> None:
    """A renamed file is only as durable as the folder that names it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _copy(source: BinaryIO, target: BinaryIO, limit: int) -> tuple[str, int, bytes]:
    digest, size, head = hashlib.sha256(), 0, b""
    while piece := source.read(PIECE):
        size += len(piece)
        if size > limit:
            raise TooLarge(f"The file is larger than {limit // PIECE} MB, the limit. Nothing was saved.", field="file")
        head = head or piece[:8192]
        digest.update(piece)
        target.write(piece)
    if not size:
        raise Invalid("The file is empty: it has 0 bytes.", field="file")
    return digest.hexdigest(), size, head


_store: ObjectStore | None = None


def use(url: str) -> None:
    """Choose the store by URL: `file:/folder`. An S3-compatible one comes with the evidence issue."""
    global _store  # noqa: PLW0603 - one process, one store
    if not url.startswith("file:"):
        raise SystemExit(f"GOVERNANCE_STORAGE_URL {url.split(':', maxsplit=1)[0]}: is not supported yet; use file:/folder")
    _store = Folder(Path(url.removeprefix("file:")))


def store() -> ObjectStore:
    if _store is None:
        raise RuntimeError("no object store: call use() first")
    return _store


def pieces(key: str) -> Iterator[bytes]:
    """The object in pieces of a megabyte, for a streamed answer."""
    with store().open(key) as file:
        while piece := file.read(PIECE):
            yield piece
