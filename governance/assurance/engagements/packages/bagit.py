"""A BagIt bag (RFC 8493) as a ZIP that is generated while it is read, piece by piece.

    bag = Bag("acme-ENG-2026-01", info={…})
    stream = reading(bag.pieces(entries, sign))

Entries are Payload(name, pieces, sha256). If the digest is known, it is compared after the bytes
are written, and a mismatch raises IncompletePackage. Every file is stored under data/ with its
SHA-256 in the manifest. Times are fixed, so the same contents give the same bag.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from governance.kernel.errors import DomainError

BAGIT_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
PIECE_BYTES = 1024 * 1024
MAX_FILES = 200_000
MANIFEST, TAG_MANIFEST, SIGNATURE = (
    "manifest-sha256.txt",
    "tagmanifest-sha256.txt",
    "manifest-sha256.sig",
)


class IncompletePackage(DomainError):
    """A file is missing, unreadable or changed, so no package is generated."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A file under data/.

    `sha256` is its expected digest, if known. `packed` tells whether to compress it.
    """

    name: str
    pieces: Callable[[], Iterable[bytes]]
    sha256: str | None = None
    packed: bool = False


@dataclass(slots=True)
class Bag:
    """A bag while it is written. `digests` and `tags` map the paths so far to SHA-256 digests."""

    name: str
    info: dict[str, str]
    digests: dict[str, str] = field(default_factory=dict)
    octets: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    _open: "tuple[Payload, _BackgroundDigest] | None" = None

    def pieces(self, payload: Iterable[Payload], sign: Callable[[str], str]) -> Iterator[bytes]:
        """Yield the bytes of the ZIP.

        `sign` receives the digest of the tag manifest and returns the signature as text.
        """
        sink = _Sink()
        with (
            ThreadPoolExecutor(1, "digest") as beside,
            zipfile.ZipFile(
                cast("BinaryIO", sink), "w", zipfile.ZIP_STORED, allowZip64=True
            ) as archive,
        ):
            for each in payload:
                yield from self._put(archive, sink, each, beside)
            self._settle()
            yield from self._tag_files(archive, sink, sign)
        yield sink.taken()

    def _put(
        self, archive: zipfile.ZipFile, sink: "_Sink", each: Payload, beside: ThreadPoolExecutor
    ) -> Iterator[bytes]:
        path = f"data/{each.name}"
        if path in self.digests:
            raise ValueError(f"{path} is in the bag already")
        self.digests[path] = ""  # Reserves the path. _settle() adds the digest.
        digest = _BackgroundDigest(beside)
        with archive.open(self._entry(path, packed=each.packed), "w", force_zip64=True) as target:
            for piece in each.pieces():
                digest.update(piece)
                self.octets += len(piece)
                target.write(piece)
                if sink.size >= PIECE_BYTES:
                    yield sink.taken()
        self._settle()
        self._open = (each, digest)
        yield sink.taken()

    def _settle(self) -> None:
        """Record the digest of the previous file. Raises IncompletePackage if it is wrong."""
        if self._open is None:
            return
        each, digest = self._open
        found, self._open = digest.hexdigest(), None
        if each.sha256 is not None and found != each.sha256:
            raise IncompletePackage(
                f"{each.name} doesn't match the file that was uploaded: its digest differs. No"
                " package was generated."
            )
        self.digests[f"data/{each.name}"] = found

    def _entry(self, path: str, *, packed: bool) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(f"{self.name}/{path}", FIXED_TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        entry.external_attr = 0o644 << 16
        return entry

    def _tag_files(
        self, archive: zipfile.ZipFile, sink: "_Sink", sign: Callable[[str], str]
    ) -> Iterator[bytes]:
        info = self.info | {"Payload-Oxum": f"{self.octets}.{len(self.digests)}"}
        self._tag(archive, "bagit.txt", BAGIT_DECLARATION)
        self._tag(
            archive,
            "bag-info.txt",
            "".join(f"{name}: {_one_line(value)}\n" for name, value in info.items()).encode(),
        )
        self._tag(archive, MANIFEST, manifest_lines(self.digests))
        tags = manifest_lines(self.tags)
        self._write(archive, TAG_MANIFEST, tags)
        self._write(archive, SIGNATURE, sign(hashlib.sha256(tags).hexdigest()).encode())
        yield sink.taken()

    def _tag(self, archive: zipfile.ZipFile, path: str, content: bytes) -> None:
        self.tags[path] = hashlib.sha256(content).hexdigest()
        self._write(archive, path, content)

    def _write(self, archive: zipfile.ZipFile, path: str, content: bytes) -> None:
        archive.writestr(self._entry(path, packed=True), content)


def manifest_lines(digests: dict[str, str]) -> bytes:
    """Return a manifest: digest, two spaces, path. Line breaks are escaped (RFC 8493 2.1.3)."""
    return "".join(
        f"{digest}  {escaped(path)}\n" for path, digest in sorted(digests.items())
    ).encode()


def escaped(path: str) -> str:
    return path.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def _one_line(value: str) -> str:
    return " ".join(value.split())


class _BackgroundDigest:
    """SHA-256 in another thread: hashing takes half of the time, and it releases the GIL."""

    def __init__(self, beside: ThreadPoolExecutor) -> None:
        self._digest, self._beside, self._last = hashlib.sha256(), beside, Future[None]()
        self._last.set_result(None)

    def update(self, piece: bytes) -> None:
        self._last.result()  # At most one piece is queued, which limits memory.
        self._last = self._beside.submit(self._digest.update, piece)

    def hexdigest(self) -> str:
        self._last.result()
        return self._digest.hexdigest()


class _Sink(io.RawIOBase):
    """Buffer for the ZIP writer. It isn't seekable, so the writer doesn't seek back."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._held.append(piece)
        self.size += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        whole, self._held, self.size = b"".join(self._held), [], 0
        return whole
