"""Requests with a batch of rows: their maximum size, and their bytes without gzip.

    takes_batches(feature, MAX_BATCH)             reads each body before its transaction opens
    body()                                        the unpacked body of this request

If the key may not send it, no body is read (`kernel/web/feature.py`).
"""

import zlib
from dataclasses import dataclass
from typing import Any, cast

from flask import g, request

from governance.kernel.errors import Invalid, TooLarge
from governance.kernel.web import responses
from governance.kernel.web.feature import Feature


class UnreadableBatch(Invalid):
    """The body is not a batch."""

    status = 400


@dataclass(frozen=True, slots=True)
class BatchSize:
    """The maximum rows and unpacked bytes of a batch; `noun` is the name of its rows."""

    rows: int
    size: int
    noun: str = "rows"

    def too_large(self) -> TooLarge:
        """Return the error for a larger batch."""
        return TooLarge(
            f"A batch has at most {self.rows:,} {self.noun} and {self.size // 1024**2} MB, unpacked."
            " Nothing was saved; send it in parts."
        )


def takes_batches(feature: Feature, most: BatchSize) -> None:
    """Read the bodies of the feature's POST requests, before a transaction opens."""

    @feature.url_value_preprocessor
    # The signature is Flask's.
    def allow(endpoint: str | None, values: dict[str, Any] | None) -> None:  # noqa: ARG001
        if request.method == "POST":
            if (request.content_length or 0) > most.size:
                raise most.too_large()
            responses.allow_body(most.size)
            g.may_send_batch = True

    @feature.before_request
    def receive() -> None:
        if "may_send_batch" in g:
            encoding = request.headers.get("Content-Encoding", "").strip().lower()
            g.batch = unpack(request.get_data(cache=False), encoding, most)


def body() -> bytes:
    """Return the unpacked body of this request."""
    return cast("bytes", g.pop("batch"))


def unpack(packed: bytes, encoding: str, most: BatchSize) -> bytes:
    """Return the body without its gzip. Raises TooLarge before it unpacks more than a batch has."""
    if encoding in {"", "identity"}:
        return packed
    if encoding != "gzip":
        raise Invalid("Content-Encoding: send gzip or none.", field="Content-Encoding")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(packed, most.size + 1)
    except zlib.error:
        raise UnreadableBatch("The body isn't gzip. Nothing was saved.") from None
    if len(unpacked) > most.size:
        raise most.too_large()
    if not unpacker.eof:
        raise UnreadableBatch("The gzip of the body ends too early. Nothing was saved.")
    return unpacked
