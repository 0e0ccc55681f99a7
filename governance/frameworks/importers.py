"""Official texts come in from a publisher's file: recognise it, read it, show what it would change.

    read(data, filename) -> Imported             CISO Assistant YAML, Playbook JSON, OSCAL catalogue JSON
    catalogue_of(imported) -> Catalogue          the built-in framework that most of its ids belong to
    compare(imported, catalogue, held) -> Preview
    Entry, Imported, Change, Preview             frozen values
    ImportRefused(message, line, column)         the sentence to show; line and column count from 1

Pure: bytes in, values out. A stranger made the file: its size, depth and number of nodes are limited, YAML
aliases, anchors and tags are refused, and every scalar stays text: `2.10` is no number, HTML is not rendered.
"""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, cast, get_args

import yaml

from governance.frameworks.catalogue import Catalogue, all_catalogues, normalise_ref, sort_key

MEGABYTE = 1_000_000
LIMIT = 10 * MEGABYTE
DEEPEST = 40  # levels; an OSCAL catalogue has about 12
MOST_NODES = 250_000  # values in the file; the largest accepted real one has about 2,000
MOST_NAMED = 12  # ids in one sentence
ACCEPTED = "Accepted are a CISO Assistant library (YAML), the NIST AI RMF Playbook (JSON) and an OSCAL catalogue (JSON)."

type Kind = Literal["statement", "overview", "playbook wording", "about", "actions", "documentation", "references"]
KINDS: tuple[Kind, ...] = get_args(Kind.__value__)
CISO, PLAYBOOK, OSCAL = "CISO Assistant library", "NIST AI RMF Playbook", "OSCAL catalogue"
PLAYBOOK_FIELDS: Mapping[str, Kind] = {
    "description": "playbook wording",
    "section_about": "about",
    "section_actions": "actions",
    "section_doc": "documentation",
    "section_ref": "references",
}
OSCAL_PARTS: Mapping[str, Kind] = {"statement": "statement", "overview": "overview", "guidance": "about"}

BINARY = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP or an Excel workbook"),
    (b"\x1f\x8b", "a compressed file"),
)
OTHER_UNICODE = (b"\xff\xfe", b"\xfe\xff")
KNOWN_OTHERS = (  # keys that give a format away, what it is
    ({"own_short_labels"}, "a list of SOC 2 criteria ids"),
    ({"bomFormat"}, "a CycloneDX bill of materials"),
    ({"component-definition"}, "an OSCAL component definition"),
    ({"profile"}, "an OSCAL profile"),
    ({"mapping-collection"}, "an OSCAL mapping"),
    ({"system-security-plan"}, "an OSCAL system security plan"),
    ({"assessment-plan"}, "an OSCAL assessment plan"),
    ({"assessment-results"}, "OSCAL assessment results"),
    ({"plan-of-action-and-milestones"}, "an OSCAL plan of action"),
    ({"$schema"}, "a JSON schema"),
    ({"response"}, "a CPRT export"),
    ({"action_id", "suggested_action"}, "the Cloud Security Alliance's list of AI 600-1 actions"),
    ({"subcategory_id", "category_id"}, "the Cloud Security Alliance's table of AI RMF subcategories"),
)


class ImportRefused(ValueError):
    """The file cannot be taken in. `args[0]` is the sentence; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        """Keep the place of the fault beside the sentence, for a page that points at it."""
        super().__init__(message)
        self.line, self.column = line, column


@dataclass(frozen=True, slots=True)
class Entry:
    """One text, perhaps "", on one requirement. An AI RMF id has our spelling, others the file's."""

    ref: str
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds. `problems` are sentences about what was noticed and left; they stop nothing."""

    format: str
    title: str
    edition: str
    sha256: str
    entries: tuple[Entry, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """The file's text differs from the one that is held."""

    ref: str
    kind: Kind
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do: `new`, `changed` and `unchanged` share out every worded text with a known id.

    `matched` are the ids with words, `unknown` those that the framework does not have. `missing` are the
    assessable requirements that the file leaves out, `empty` those listed with no words (never taken in).
    """

    matched: tuple[str, ...]
    new: tuple[Entry, ...]
    changed: tuple[Change, ...]
    unchanged: tuple[Entry, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    empty: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Every assessable requirement has words; False marks the import as partial."""
        return not (self.missing or self.empty)

    @property
    def importable(self) -> bool:
        """There is at least one text to take in or to confirm."""
        return bool(self.new or self.changed or self.unchanged)


# --- The two questions -----------------------------------------------------------------------------


def read(data: bytes, filename: str) -> Imported:
    """Recognise and read a file of at most 10 MB. Raises ImportRefused with a sentence on what is wrong.

    What the file is, is told from its content; `filename` only helps to name what was refused.
    """
    text = _decoded(data)
    content = _parsed(text, filename)
    name, reader = _recognised(content)
    title, edition, found, problems = reader(content)
    entries = _without_repeats(found, problems)
    _must_belong(name, title, entries)
    return Imported(name, title, edition, hashlib.sha256(data).hexdigest(), entries, tuple(problems))


def catalogue_of(imported: Imported) -> Catalogue:
    """Find the built-in framework that most of the file's ids belong to; the first offered if they tie."""
    refs = {each.ref for each in imported.entries}
    return max(all_catalogues(), key=lambda each: len(refs & each.refs))


def compare(imported: Imported, catalogue: Catalogue, held: Mapping[tuple[str, str], str]) -> Preview:
    """Set the file beside the framework and beside the texts that are held, keyed by (ref, kind)."""
    known = [each for each in imported.entries if each.ref in catalogue.refs]
    worded = [each for each in known if each.text]
    there = {each.ref for each in worded}
    listed = {each.ref for each in known}
    pairs = [(each, held.get((each.ref, each.kind))) for each in worded]
    return Preview(
        matched=_in_order(there),
        new=tuple(each for each, old in pairs if old is None),
        changed=tuple(Change(each.ref, each.kind, old, each.text) for each, old in pairs if old is not None and old != each.text),
        unchanged=tuple(each for each, old in pairs if old == each.text),
        unknown=_in_order({each.ref for each in imported.entries} - catalogue.refs),
        missing=_in_order({each.ref for each in catalogue.assessable} - listed),
        empty=_in_order({each.ref for each in known if not each.text}),
    )


def _in_order(refs: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(refs, key=sort_key))


# --- What format it is -----------------------------------------------------------------------------

type Found = tuple[str, str, list[Entry], list[str]]  # title, edition, entries, problems
type Reader = Callable[[Any], Found]


def _recognised(content: object) -> tuple[str, Reader]:
    if isinstance(content, list):
        first = content[0] if content else None
        if isinstance(first, dict) and {"title", "section_about"} <= first.keys():
            return PLAYBOOK, _playbook
        _refuse_other(first, "a list of something else")
    if isinstance(content, dict):
        if isinstance(content.get("catalog"), dict):
            return OSCAL, _oscal
        if isinstance(content.get("objects"), dict) and "urn" in content:
            return CISO, _ciso
        keys = ", ".join(str(each)[:40] for each in list(content)[:5]) or "no keys"
        _refuse_other(content, f"a file with the keys {keys}")
    raise ImportRefused(f"This looks like plain text. {ACCEPTED}")


def _refuse_other(sample: object, otherwise: str) -> NoReturn:
    keys = sample.keys() if isinstance(sample, dict) else set[str]()
    looks = next((name for telling, name in KNOWN_OTHERS if telling <= keys), otherwise)
    raise ImportRefused(f"This looks like {looks}. {ACCEPTED}")


def _must_belong(name: str, title: str, entries: tuple[Entry, ...]) -> None:
    refs = {each.ref for each in entries}
    if not refs:
        raise ImportRefused(f"This {name} (“{title}”) has no requirement with an id.")
    if not any(refs & each.refs for each in all_catalogues()):
        raise ImportRefused(
            f"This is a {name} of another framework (“{title}”): 0 of its {len(refs):,} ids belong to a built-in framework."
        )


def _without_repeats(entries: Iterable[Entry], problems: list[str]) -> tuple[Entry, ...]:
    kept: dict[tuple[str, str], Entry] = {}
    clashes: set[str] = set()
    repeats: set[str] = set()
    for each in entries:
        first = kept.setdefault((each.ref, each.kind), each)
        if first is not each:
            (repeats if first.text == each.text else clashes).add(each.ref)
    if clashes:
        raise ImportRefused(f"The file gives {_named(clashes)} more than once, with different texts.")
    if repeats:
        problems.append(f"The file gives {_named(repeats)} twice or more with the same text; each was read once.")
    return tuple(kept.values())


def _named(refs: Iterable[str]) -> str:
    ordered = _in_order(refs)
    rest = len(ordered) - MOST_NAMED
    return ", ".join(ordered[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


# --- The three formats -----------------------------------------------------------------------------


def _playbook(content: list[Any]) -> Found:
    entries: list[Entry] = []
    for number, each in enumerate(content, 1):
        if not isinstance(each, dict) or not _line(each.get("title")):
            raise ImportRefused(f"Item {number} of the Playbook has no title: its requirement is not known.")
        ref = _ref(each["title"])
        entries += [Entry(ref, kind, _text(each[key], ref)) for key, kind in PLAYBOOK_FIELDS.items() if key in each]
    dated = any("category" in each for each in content)
    edition = "with category ids (2024 or later)" if dated else "without category ids (as in April 2023)"
    return PLAYBOOK, f"undated, {edition}", entries, []


def _ciso(content: dict[str, Any]) -> Found:
    title = _line(content.get("name")) or "without a name"
    framework = content["objects"].get("framework")
    if not isinstance(framework, dict) or not isinstance(framework.get("requirement_nodes"), list):
        held = ", ".join(map(str, content["objects"])) or "nothing"
        raise ImportRefused(f"This CISO Assistant library (“{title}”) holds no framework, but {held}.")
    nodes = [each for each in framework["requirement_nodes"] if isinstance(each, dict)]
    named = [(ref, each) for each in nodes if (ref := _line(each.get("ref_id")))]
    entries = [_node(_ref(ref), each) for ref, each in named]
    without = len(framework["requirement_nodes"]) - len(named)
    problems = [f"{without} nodes have no id (preambles and notes): they were left out."] if without else []
    edition = _edition(("version", content.get("version")), ("of", content.get("publication_date")))
    return title, edition, entries, problems


def _node(ref: str, node: Mapping[str, Any]) -> Entry:
    assessable = _line(node.get("assessable")).lower() == "true"
    return Entry(ref, "statement" if assessable else "overview", _text(node.get("description"), ref))


def _oscal(content: dict[str, Any]) -> Found:
    catalog = content["catalog"]
    metadata = catalog["metadata"] if isinstance(catalog.get("metadata"), dict) else {}
    entries: list[Entry] = []
    nameless = 0
    for node in _oscal_nodes(catalog):
        if ref := _oscal_ref(node):
            entries += _oscal_texts(ref, node)
        else:
            nameless += 1
    edition = _edition(("version", metadata.get("version")), ("last modified", metadata.get("last-modified")))
    problems = [f"{nameless} groups or controls have no id: they were left out."] if nameless else []
    return _line(metadata.get("title")) or "without a title", edition, entries, problems


def _oscal_nodes(parent: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for each in (*_dicts(parent.get("groups")), *_dicts(parent.get("controls"))):
        yield each
        yield from _oscal_nodes(each)


def _oscal_ref(node: Mapping[str, Any]) -> str:
    """Take the first AI RMF id among label, title and OSCAL id; without one, the label or the OSCAL id."""
    labels = [_line(each.get("value")) for each in _dicts(node.get("props")) if each.get("name") == "label"]
    spellings = [each for each in (*labels, _line(node.get("title")), _line(node.get("id"))) if each]
    known = (found for each in spellings if (found := normalise_ref(each)))
    plain = labels or [_line(node.get("id"))]
    return next(known, "") or plain[0]


def _oscal_texts(ref: str, node: Mapping[str, Any]) -> Iterator[Entry]:
    texts: dict[Kind, list[str]] = {}
    if "controls" not in node and "groups" not in node:
        texts["statement"] = []  # a control without words is an empty text, not an absent one
    for part in _dicts(node.get("parts")):
        if kind := OSCAL_PARTS.get(_line(part.get("name"))):
            texts.setdefault(kind, []).extend(_prose(part, ref))
    for kind, pieces in texts.items():
        yield Entry(ref, kind, "\n\n".join(pieces))


def _prose(part: Mapping[str, Any], ref: str) -> Iterator[str]:
    if text := _text(part.get("prose"), ref):
        yield text
    for each in _dicts(part.get("parts")):
        yield from _prose(each, ref)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _edition(*facts: tuple[str, object]) -> str:
    return ", ".join(f"{name} {_line(value)}" for name, value in facts if _line(value)) or "undated"


def _ref(spelled: object) -> str:
    plain = _line(spelled)
    return normalise_ref(plain) or plain


def _line(value: object) -> str:
    """Put a short value on one line; "" when it is no text."""
    return " ".join(value.split())[:200] if isinstance(value, str) and _storable(value) else ""


def _text(value: object, ref: str) -> str:
    """Take the text as it is, without the white space around it; nothing in it is interpreted."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ImportRefused(f"The text of {ref} is not text.")
    if not _storable(value):
        raise ImportRefused(f"The text of {ref} holds a NUL or half a character.")
    return value.replace("\r\n", "\n").strip()


def _storable(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)


# --- From bytes to values, within limits -----------------------------------------------------------


def _decoded(data: bytes) -> str:
    if len(data) > LIMIT:
        size = len(data) / MEGABYTE
        raise ImportRefused(f"The file has {size:.1f} MB; at most {LIMIT // MEGABYTE} MB are read.")
    if looks := next((name for magic, name in BINARY if data.startswith(magic)), None):
        raise ImportRefused(f"This looks like {looks}. {ACCEPTED}")
    if data.startswith(OTHER_UNICODE):
        raise ImportRefused(f"The file is UTF-16. Save it as UTF-8 and try again. {ACCEPTED}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        column = fault.start - data.rfind(b"\n", 0, fault.start)
        raise ImportRefused(f"Line {line}, byte {column}: not UTF-8 text. {ACCEPTED}", line, column) from None
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
    """Tell whether the first rows are cells, as many in each row, and none reads like "key: value"."""
    head = [line for line in text[:20_000].splitlines()[:3] if line.strip()]
    if any(re.match(r"[\w-]+:(\s|$)", line) for line in head):
        return False
    try:
        widths = [len(row) for row in csv.reader(io.StringIO("\n".join(head)))]
    except csv.Error:
        return False
    return len(widths) > 1 and widths[0] > 1 and len(set(widths)) == 1


# A string is closed by a quote or by the end of the text, so the scan never starts over: it is linear.
JSON_TOKENS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|([\[{])|([\]}])|(,)', re.DOTALL)


def _json(text: str) -> object:
    _measure_json(text)
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_constant, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as fault:
        raise _broken("JSON", fault.msg, fault.lineno, fault.colno) from None


def _measure_json(text: str) -> None:
    depth = nodes = 0
    for token in JSON_TOKENS.finditer(text):
        opening, closing, comma = token.groups()
        depth += bool(opening) - bool(closing)
        nodes += bool(opening or comma)
        if depth > DEEPEST or nodes > MOST_NODES:
            _within_limits(depth, nodes, *_place(text, token.start()))


def _within_limits(depth: int, nodes: int, line: int, column: int) -> None:
    if depth > DEEPEST:
        raise ImportRefused(f"Line {line}: more than {DEEPEST} levels of nesting.", line, column)
    if nodes > MOST_NODES:
        raise ImportRefused(f"Line {line}: more than {MOST_NODES:,} values in one file.", line, column)


def _place(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _no_constant(name: str) -> NoReturn:
    raise ImportRefused(f"The file holds {name}, which is no value in JSON.")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ImportRefused(f"The key “{twice[:40]}” is given twice in one object.")
    return found


def _broken(language: str, reason: str, line: int, column: int) -> ImportRefused:
    return ImportRefused(f"Line {line}, column {column}: not {language} ({reason}).", line, column)


def _counted(mark: Any) -> tuple[int, int]:  # PyYAML has two kinds of mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


class _Builder:
    """Values from YAML events: mappings, sequences and text; no number, date or object is ever made."""

    def __init__(self) -> None:
        self.open: list[dict[str, object] | list[object]] = []
        self.keys: list[str | None] = []  # of each open mapping: the key that waits for its value
        self.nodes = 0
        self.root: object = None

    def take(self, event: yaml.Event) -> None:
        """Take one event in. Raises ImportRefused for anything but plain, unshared values."""
        line, column = _counted(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ImportRefused(f"Line {line}: YAML anchors and aliases are not read.", line, column)
        if getattr(event, "tag", None):
            raise ImportRefused(f"Line {line}: YAML tags (!) are not read.", line, column)
        if isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()
            self.keys.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._node(event, line, column)

    def _node(self, event: yaml.NodeEvent, line: int, column: int) -> None:
        self.nodes += 1
        _within_limits(len(self.open) + isinstance(event, yaml.CollectionStartEvent), self.nodes, line, column)
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
            raise ImportRefused(f"Line {line}: a key that is no text.", line, column)
        elif value in parent:
            raise ImportRefused(f"Line {line}: the key “{value[:40]}” is given twice.", line, column)
        else:
            self.keys[-1] = value


def _started(event: yaml.NodeEvent) -> object:
    if isinstance(event, yaml.MappingStartEvent):
        return {}
    if isinstance(event, yaml.SequenceStartEvent):
        return []
    value = cast("yaml.ScalarEvent", event)
    return None if value.style in {None, ""} and value.value in {"", "~", "null"} else str(value.value)


LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _yaml(text: str) -> object:
    builder, documents = _Builder(), 0
    try:
        for event in yaml.parse(text, Loader=LOADER):
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise ImportRefused(f"The file holds more than one YAML document. {ACCEPTED}")
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
