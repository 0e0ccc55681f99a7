"""Streaming reader of JSON documents: the beginning, then a long list, one item at a time.

It uses ijson, whose parser is yajl. Python writes NaN and Infinity, which JSON doesn't have; a file
with them is read again with null in their place.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import ijson

from governance.operations.evaluations.files.json_depth import BracketDepth
from governance.operations.evaluations.files.records import FileRefused

LONG_LISTS = {"samples", "results.results", "evaluation_results"}
PIECE_BYTES = 256 * 1024
MAX_DEPTH = 100
MAX_STRING_BYTES = 16 * 1024 * 1024  # Limit of one text that spans chunks of a file with NaN
TOO_DEEP = f"The file nests more than {MAX_DEPTH} levels deep."
NOT_JSON = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b', re.DOTALL)
OPEN_STRING = re.compile(rb'(?:[^"]|"(?:[^"\\]|\\.)*")*', re.DOTALL)


def head_of(path: Path) -> dict[str, Any]:
    """Return the members before the document's long list, whichever tool wrote it.

    Raises FileRefused if the file isn't JSON, ends too early, or isn't an object.
    """
    with _reading(path) as file:
        return _head(file)


def items_of(path: Path, long_list: str, label: str) -> Iterator[Any]:
    """Yield the items of a list, or none if the document has no such list.

    Raises FileRefused with the last readable item: "after sample 12".
    """
    count = 0
    with _reading(path) as file:
        try:
            items = ijson.items(file, f"{long_list}.item", use_float=True, buf_size=PIECE_BYTES)
            for count, item in enumerate(items, 1):  # noqa: B007 - said where reading stops
                yield item
        except ijson.JSONError as error:
            raise FileRefused(f"after {label} {count}" if count else "", _sentence(error)) from None


def members_of(path: Path) -> Iterator[str]:
    """Yield the names of the document's own members in order; reads the file to its end."""
    depth = 0
    with _reading(path) as file:
        try:
            for event, value in ijson.basic_parse(file, use_float=True, buf_size=PIECE_BYTES):
                depth += event.startswith("start_") - event.startswith("end_")
                if depth == 1 and event == "map_key":
                    yield value
        except ijson.JSONError as error:
            raise FileRefused("", _sentence(error)) from None


def _head(file: BinaryIO) -> dict[str, Any]:
    builder, path = ijson.ObjectBuilder(), [""]  # Key of each open level
    try:
        for event, value in ijson.basic_parse(file, use_float=True, buf_size=PIECE_BYTES):
            if len(path) == 1 and event not in {"start_map", "end_map"}:
                raise FileRefused("", "The file isn't one JSON object.")
            if event == "start_array" and ".".join(path[1:]) in LONG_LISTS:
                break
            if event == "map_key":
                path[-1] = value
            elif event.startswith("start_"):
                path.append("item")
            elif event.startswith("end_"):
                path.pop()
            if len(path) > MAX_DEPTH:
                raise FileRefused("", TOO_DEEP)
            builder.event(event, value)
    except ijson.JSONError as error:
        raise FileRefused("", _sentence(error)) from None
    return dict(builder.value)


class _Shallow:
    """A file wrapper that stops when brackets nest too deeply.

    ijson names the path of each event, so a megabyte of brackets would take gigabytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._depth = BracketDepth()

    def read(self, size: int = PIECE_BYTES) -> bytes:
        piece = self._file.read(size)
        if self._depth.feed(piece) > MAX_DEPTH:
            raise FileRefused("", TOO_DEEP)
        return piece


class _WithoutNaN:
    """A file whose NaN and Infinity are null. `read` returns at least one byte until the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._rest = b""
        self._ended = False

    def read(self, size: int = PIECE_BYTES) -> bytes:
        if size == 0:
            return b""
        while not self._ended:
            piece = self._file.read(max(size, PIECE_BYTES))
            self._ended = not piece
            text = self._rest + piece
            cut = len(text) if self._ended else _safe_cut(text)
            if cut == 0 and len(text) > MAX_STRING_BYTES:
                raise FileRefused("", "One text of the file has more than 16 MB.")
            self._rest = text[cut:]
            if cut:
                return NOT_JSON.sub(_null, text[:cut])
        return b""


class _reading:  # noqa: N801 - a context manager that reads like a function
    """A context manager that opens the file, through the filter if it has NaN."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> BinaryIO:
        self._file = self._path.open("rb")
        opened: Any = _Shallow(self._file)  # ijson only calls read().
        if has_nan(self._path):
            opened = _WithoutNaN(opened)
        return opened  # type: ignore[no-any-return] # the same

    def __exit__(self, *_error: object) -> None:
        self._file.close()


def has_nan(path: Path) -> bool:
    """Return True if NaN or Infinity occurs anywhere, even in a text. Each file is scanned once."""
    known = path.stat()
    return _has_nan(path, known.st_size, known.st_mtime_ns)


@lru_cache(maxsize=1)
def _has_nan(path: Path, _size: int, _written: int) -> bool:
    with closing(path.open("rb")) as file:
        last = b""
        while piece := file.read(PIECE_BYTES * 4):
            found = last + piece
            if b"NaN" in found or b"Infinity" in found:
                return True
            last = found[-8:]
    return False


def _safe_cut(text: bytes) -> int:
    """Return the length of the longest start that ends outside a string and outside a word."""
    end = OPEN_STRING.match(text)
    cut = end.end() if end else 0
    while cut and (text[cut - 1 : cut].isalnum() or text[cut - 1 : cut] == b"-"):
        cut -= 1
    return cut


def _null(found: re.Match[bytes]) -> bytes:
    token = found.group()
    return token if token.startswith(b'"') else b"null"


def _sentence(error: Exception) -> str:
    if isinstance(error, ijson.IncompleteJSONError) and "premature" in str(error):
        return "The file is cut off: its JSON doesn't end. Export it again."
    first = str(error).strip().splitlines()[0] if str(error).strip() else "unknown error"
    return f"The file isn't JSON ({first[:120]})."
