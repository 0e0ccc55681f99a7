"""Read JSON of other authors, within limits, and locate its errors. Pure."""

import json
import re
from collections import Counter
from typing import Any, NoReturn

MAX_FILE_BYTES = 5_000_000
MAX_DEPTH = 60  # Levels of nesting; a Croissant file has about ten
MAX_VALUES = 500_000
MAX_DIGITS = 40  # Digits of a number
# A string is closed by a quote or by the end of the text, so the scan never starts over.
TOKENS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|([\[{])|([\]}])|(,)', re.DOTALL)


class UnreadableFile(Exception):
    """The file can't be read. The message has the place and the reason."""


def read(data: bytes) -> Any:
    """Return the document. Raises UnreadableFile."""
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableFile(f"The file is larger than {MAX_FILE_BYTES // 1_000_000} MB.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise UnreadableFile(f"Line {line} isn't UTF-8 text. Save the file as UTF-8.") from None
    if not text.strip():
        raise UnreadableFile("The file is empty.")
    _measure(text)
    try:
        found = json.loads(
            text,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_no_constant,
            object_pairs_hook=_unique_keys,
        )
    except json.JSONDecodeError as fault:
        raise UnreadableFile(
            f"Line {fault.lineno}, column {fault.colno}: this isn't valid JSON ({fault.msg})."
        ) from None
    return found


def _measure(text: str) -> None:
    depth = values = 0
    for token in TOKENS.finditer(text):
        opening, closing, comma = token.groups()
        depth += bool(opening) - bool(closing)
        values += bool(opening or comma)
        if depth > MAX_DEPTH or values > MAX_VALUES:
            line = text.count("\n", 0, token.start()) + 1
            many = (
                f"{MAX_DEPTH} levels of nesting" if depth > MAX_DEPTH else f"{MAX_VALUES:,} values"
            )
            raise UnreadableFile(f"Line {line}: more than {many}.")


def _number(written: str) -> int | float:
    if len(written) > MAX_DIGITS:
        raise UnreadableFile(f"The number {written[:20]}… has more than {MAX_DIGITS} digits.")
    return float(written) if re.search(r"[.eE]", written) else int(written)


def _no_constant(name: str) -> NoReturn:
    raise UnreadableFile(f"The file contains {name}, which isn't valid in JSON.")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise UnreadableFile(f"The key “{twice[:40]}” appears twice in one object.")
    return found
