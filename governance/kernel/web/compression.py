"""Answers as gzip, for clients that accept it: pages each time, static files once per process.

    install(app)      before all other hooks on answers: Flask runs the last one first

What is compressed: HTML when it is rendered, and static files of text. What isn't: answers that are
streamed or downloaded (their bytes are signed and counted), parts of a file, and answers to
machines.

The length of a compressed page reveals how often it repeats itself. So it reveals a secret of the
page letter by letter to anyone who can both put text into it and see the length (BREACH). The one
secret in our pages, the form token, has another mask in each answer (`kernel/web/responses.py`),
and a name of random length in the gzip header blurs the length itself.
"""

import secrets
import zlib
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from flask import Flask, Response, current_app, request

LEAST_BYTES = 1024  # Bytes; below it the headers weigh more.
PAGE_LEVEL = 4  # Level 9 takes twice the time for six percent less.
BLUR_BYTES = 64
TEXT = frozenset({"text/css", "text/javascript", "application/javascript", "image/svg+xml"})
MAX_FILES = 256


def install(app: Flask) -> None:
    """Compress what the application answers from now on."""
    app.after_request(_compressed)


def _compressed(response: Response) -> Response:
    if request.endpoint == "static":
        return _static(response)
    if response.mimetype != "text/html":
        return response
    response.headers.add("Vary", "Accept-Encoding")
    if response.is_streamed or not _is_wanted(response):
        return response
    body = response.get_data()
    if len(body) >= LEAST_BYTES:
        response.set_data(gzipped(body, PAGE_LEVEL, blur=secrets.randbelow(BLUR_BYTES)))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _static(response: Response) -> Response:
    if response.mimetype not in TEXT:
        return response
    response.headers.add("Vary", "Accept-Encoding")
    if response.status_code != HTTPStatus.OK or not _is_wanted(response):
        return response
    path = Path(str(current_app.static_folder), (request.view_args or {})["filename"])
    body = _file(path, path.stat().st_mtime_ns)
    response.close()
    response.direct_passthrough = False
    response.set_data(body)
    response.headers["Content-Encoding"] = "gzip"
    if etag := response.get_etag()[0]:
        response.set_etag(f"{etag}-gzip")
    return response


def _is_wanted(response: Response) -> bool:
    return (
        "Content-Encoding" not in response.headers
        and not response.headers.get("Content-Disposition", "").startswith("attachment")
        and "Content-Range" not in response.headers
        and request.accept_encodings.quality("gzip") > 0
    )


@lru_cache(MAX_FILES)
def _file(path: Path, _changed: int) -> bytes:
    return gzipped(path.read_bytes(), 9)


def gzipped(body: bytes, level: int, *, blur: int = 0) -> bytes:
    """Return the body as gzip (RFC 1952), with a file name of `blur` letters in its header."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    name = b"m" * blur + b"\0" if blur else b""
    head = b"\x1f\x8b\x08" + (b"\x08" if blur else b"\0") + b"\0\0\0\0\0\xff" + name
    tail = zlib.crc32(body).to_bytes(4, "little") + len(body).to_bytes(4, "little")
    return head + packer.compress(body) + packer.flush() + tail
