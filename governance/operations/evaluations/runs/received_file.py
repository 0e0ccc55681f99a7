"""The file in a request's body, written to a temporary file before a transaction opens.

    takes_a_file(feature, "evaluations_api.push", check, limit)
    received()                                    the file of this request, with its SHA-256

The body isn't read if the key may not send it (`kernel/web/feature.py`).
"""

import hashlib
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from flask import g, request

from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import Invalid, TooLarge
from governance.kernel.web import responses
from governance.kernel.web.batch_requests import UnreadableBatch
from governance.kernel.web.feature import Feature

PIECE_BYTES = 1024 * 1024
FORMS = {"multipart/form-data", "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that a machine sent. It is deleted when the request ends."""

    file: IO[bytes]
    size: int
    sha256: str


def takes_a_file(feature: Feature, endpoint: str, check: Callable[[], object], limit: int) -> None:
    """Receive the body of this endpoint's POST requests.

    `check` raises errors about the request's parameters before the body is read, in a transaction
    of the key.
    """

    @feature.url_value_preprocessor
    # The parameters are Flask's.
    def allow(asked: str | None, values: dict[str, Any] | None) -> None:  # noqa: ARG001
        if asked == endpoint and request.method == "POST":
            if request.mimetype in FORMS:
                raise Invalid(
                    "Send the file itself as the body, as application/json or"
                    " application/octet-stream, not in a form."
                )
            if (request.content_length or 0) > limit:
                raise _too_large(limit)
            responses.allow_body(limit)
            g.takes_file = limit

    @feature.before_request
    def receive() -> None:
        if "takes_file" in g:
            with current.acting_as(g.actor), transaction(read_only=True):
                check()
            g.received_file = _receive(g.takes_file)

    @feature.teardown_request
    def remove(_error: BaseException | None) -> None:
        if (held := g.pop("received_file", None)) is not None:
            held.file.close()


def received() -> ReceivedFile:
    """Return the file of this request, at its beginning."""
    held = cast("ReceivedFile", g.received_file)
    held.file.seek(0)
    return held


def _receive(limit: int) -> ReceivedFile:
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip"}:
        raise Invalid("Content-Encoding: send gzip or none.", field="Content-Encoding")
    sent = iter(lambda: request.stream.read(PIECE_BYTES), b"")
    digest, size = hashlib.sha256(), 0
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when the request ends
    try:
        for piece in _within(limit, unpacked(sent) if encoding == "gzip" else sent):
            size += len(piece)
            digest.update(piece)
            file.write(piece)
    except BaseException:
        file.close()
        raise
    return ReceivedFile(file, size, digest.hexdigest())


def _within(limit: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        yield piece


def unpacked(packed: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes without gzip, in limited chunks however large the result is."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for piece in packed:
            rest = piece
            while rest and not unpacker.eof:
                yield unpacker.decompress(rest, PIECE_BYTES)
                rest = unpacker.unconsumed_tail
    except zlib.error:
        raise UnreadableBatch("The body isn't gzip. Nothing was saved.") from None
    if not unpacker.eof:
        raise UnreadableBatch("The gzip of the body ends too early. Nothing was saved.")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"A file has at most {limit // 1024**2} MB, unpacked. Nothing was saved; split the run."
    )
