"""Parse an untrusted file into plain values, within limits. Pure functions.

    parse_file(data, filename)              mappings, sequences and text; numbers stay text
    MAX_FILE_BYTES, MAX_DEPTH, MAX_VALUES   the limits

YAML aliases, anchors and tags are rejected, since they can expand a small file or create objects.
"""

import csv
import io
import json
import re
from collections import Counter
from typing import Any, NoReturn, cast

import yaml

from governance.assurance.frameworks.publisher_file import ImportRefused

MEGABYTE = 1_000_000
MAX_FILE_BYTES = 12 * MEGABYTE  # NIST's SP 800-53 catalog, the largest known one, has about 10 MB.
MAX_DEPTH = 40  # Levels of nesting. An OSCAL catalog has about 12.
MAX_VALUES = 300_000  # SP 800-53 has about 220,000.
ACCEPTED = (
    "You can import a CISO Assistant library (YAML), the NIST AI RMF Playbook (JSON) or an OSCAL"
    " catalog (JSON or YAML)."
)
BINARY = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP or an Excel workbook"),
    (b"\x1f\x8b", "a compressed file"),
)
OTHER_UNICODE = (b"\xff\xfe", b"\xfe\xff")


def parse_file(data: bytes, filename: str) -> object:
    """Parse JSON or YAML. `filename` only helps to recognize CSV files.

    Raises ImportRefused with a sentence and, if known, the line and column.
    """
    return _parsed(_decoded(data), filename)


def _decoded(data: bytes) -> str:
    if len(data) > MAX_FILE_BYTES:
        size = len(data) / MEGABYTE
        raise ImportRefused(
            f"The file is {size:.1f} MB. The limit is {MAX_FILE_BYTES // MEGABYTE} MB."
        )
    if looks := next((name for magic, name in BINARY if data.startswith(magic)), None):
        raise ImportRefused(f"This looks like {looks}. {ACCEPTED}")
    if data.startswith(OTHER_UNICODE):
        raise ImportRefused(f"The file is UTF-16. Save it as UTF-8 and try again. {ACCEPTED}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        column = fault.start - data.rfind(b"\n", 0, fault.start)
        raise ImportRefused(
            f"Line {line}, byte {column}: not UTF-8 text. {ACCEPTED}", line, column
        ) from None
    if not text.strip():
        raise ImportRefused(f"The file is empty. {ACCEPTED}")
    return text


def _parsed(text: str, filename: str) -> object:
    start = text.lstrip()[:1]
    if start == "<":
        raise ImportRefused(f"This looks like HTML or XML. {ACCEPTED}")
    if start in "{[":
        return _json(text)
    if filename.lower().endswith((".csv", ".tsv")) or _is_table(text):
        raise ImportRefused(f"This looks like a CSV table. {ACCEPTED}")
    return _yaml(text)


def _is_table(text: str) -> bool:
    """Check whether the first lines look like a CSV table rather than "key: value" lines."""
    head = [line for line in text[:20_000].splitlines()[:3] if line.strip()]
    if any(re.match(r"[\w-]+:(\s|$)", line) for line in head):
        return False
    try:
        widths = [len(row) for row in csv.reader(io.StringIO("\n".join(head)))]
    except csv.Error:
        return False
    return len(widths) > 1 and widths[0] > 1 and len(set(widths)) == 1


# A string ends at a quote or at the end of the text, so the scan never backtracks and takes linear
# time.
JSON_TOKENS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|([\[{])|([\]}])|(,)', re.DOTALL)


def _json(text: str) -> object:
    _measure_json(text)
    try:
        return json.loads(
            text,
            parse_float=str,
            parse_int=str,
            parse_constant=_no_constant,
            object_pairs_hook=_unique_keys,
        )
    except json.JSONDecodeError as fault:
        raise _broken("JSON", fault.msg, fault.lineno, fault.colno) from None


def _measure_json(text: str) -> None:
    depth = nodes = 0
    for token in JSON_TOKENS.finditer(text):
        opening, closing, comma = token.groups()
        depth += bool(opening) - bool(closing)
        nodes += bool(opening or comma)
        if depth > MAX_DEPTH or nodes > MAX_VALUES:
            _within_limits(depth, nodes, *_place(text, token.start()))


def _within_limits(depth: int, nodes: int, line: int, column: int) -> None:
    if depth > MAX_DEPTH:
        raise ImportRefused(f"Line {line}: more than {MAX_DEPTH} levels of nesting.", line, column)
    if nodes > MAX_VALUES:
        raise ImportRefused(
            f"Line {line}: more than {MAX_VALUES:,} values in one file.", line, column
        )


def _place(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _no_constant(name: str) -> NoReturn:
    raise ImportRefused(f"The file contains {name}, which isn't valid in JSON.")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ImportRefused(f"The key “{twice[:40]}” appears twice in one object.")
    return found


def _broken(language: str, reason: str, line: int, column: int) -> ImportRefused:
    return ImportRefused(
        f"Line {line}, column {column}: this isn't valid {language} ({reason}).", line, column
    )


def _counted(mark: Any) -> tuple[int, int]:  # PyYAML has two kinds of mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


class _Builder:
    """Builder of mappings, sequences and text from YAML events. Never numbers, dates or objects."""

    def __init__(self) -> None:
        self.open: list[dict[str, object] | list[object]] = []
        self.keys: list[str | None] = []  # The key of each open mapping that still needs a value.
        self.nodes = 0
        self.root: object = None

    def take(self, event: yaml.Event) -> None:
        """Process an event. Raises ImportRefused for aliases, anchors, tags and wrong keys."""
        line, column = _counted(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ImportRefused(
                f"Line {line}: YAML anchors and aliases aren't supported.", line, column
            )
        if getattr(event, "tag", None):
            raise ImportRefused(f"Line {line}: YAML tags (!) aren't supported.", line, column)
        if isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()
            self.keys.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._node(event, line, column)

    def _node(self, event: yaml.NodeEvent, line: int, column: int) -> None:
        self.nodes += 1
        _within_limits(
            len(self.open) + isinstance(event, yaml.CollectionStartEvent), self.nodes, line, column
        )
        value = _started(event)
        self._place(value, line, column)
        if not isinstance(value, str | None):
            self.open.append(cast("dict[str, object] | list[object]", value))
            self.keys.append(None)

    def _place(self, value: object, line: int, column: int) -> None:
        parent = self.open[-1] if self.open else None
        if parent is None:
            self.root = value
        elif isinstance(parent, list):
            parent.append(value)
        elif (key := self.keys[-1]) is not None:
            parent[key], self.keys[-1] = value, None
        elif not isinstance(value, str):
            raise ImportRefused(f"Line {line}: a key isn't text.", line, column)
        elif value in parent:
            raise ImportRefused(f"Line {line}: the key “{value[:40]}” appears twice.", line, column)
        else:
            self.keys[-1] = value


def _started(event: yaml.NodeEvent) -> object:
    if isinstance(event, yaml.MappingStartEvent):
        return {}
    if isinstance(event, yaml.SequenceStartEvent):
        return []
    value = cast("yaml.ScalarEvent", event)
    return (
        None if value.style in {None, ""} and value.value in {"", "~", "null"} else str(value.value)
    )


LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _yaml(text: str) -> object:
    builder, documents = _Builder(), 0
    try:
        for event in yaml.parse(text, Loader=LOADER):
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise ImportRefused(f"The file contains more than one YAML document. {ACCEPTED}")
            builder.take(event)
    except yaml.MarkedYAMLError as fault:
        line, column = _counted(fault.problem_mark or fault.context_mark)
        raise _broken("YAML", fault.problem or "unreadable", line, column) from None
    except yaml.YAMLError as fault:
        reason = str(getattr(fault, "reason", "unreadable"))
        raise _broken("YAML", reason, *_reader_place(text, fault)) from None
    return builder.root


def _reader_place(text: str, fault: yaml.YAMLError) -> tuple[int, int]:
    position = getattr(fault, "position", 0)
    return _place(text, position if isinstance(position, int) else 0)
