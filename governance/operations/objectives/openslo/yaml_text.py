"""Read and write YAML as OpenSLO needs it: safely, and with exact numbers. Pure.

    read(data)        the documents of a file: mappings, lists, text, Decimal, True, False, None
    write(documents)  the same as YAML text

A number stays the decimal that the file has: 0.999 is Decimal("0.999"), never a float. Text is text
as in YAML 1.2, so a time of day or `no` isn't converted. Tags and duplicate keys are rejected, and
so is a file that is too large, too deep, or that its aliases expand too much.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import yaml

MAX_FILE_BYTES = 1_000_000
MAX_DEPTH = 30  # Levels of nesting; an SLO has about ten
MAX_VALUES = 50_000  # Values of a file, including those repeated by aliases
MAX_CHARACTERS = MAX_FILE_BYTES  # Characters of its text, counted in the same way
MAX_DOCUMENTS = 1_000
MAX_DIGITS = 40  # Digits of a number
NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?\Z")
CONSTANTS: dict[str, bool | None] = {
    word: value
    for value, words in (
        (None, ("", "~", "null", "Null", "NULL")),
        (True, ("true", "True", "TRUE")),
        (False, ("false", "False", "FALSE")),
    )
    for word in words
}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

type Tree = dict[str, "Tree"] | list["Tree"] | str | Decimal | bool | None


class UnreadableFile(Exception):
    """The file can't be read. The message has the place and the fix."""


def read(data: bytes) -> list[Tree]:
    """Return the documents of a file. Empty ones are left out."""
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableFile(f"The file is larger than {MAX_FILE_BYTES // 1_000_000} MB.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise UnreadableFile(f"Line {line} isn't UTF-8 text. Save the file as UTF-8.") from None
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as fault:
        raise UnreadableFile(
            f"Line {_line(fault.problem_mark or fault.context_mark)}: this isn't valid YAML"
            f" ({fault.problem or 'unreadable'})."
        ) from None
    except yaml.YAMLError:
        raise UnreadableFile("The file contains characters that YAML doesn't allow.") from None
    return [each for each in builder.documents if each is not None]


def plain(text: str) -> Tree:
    """Return the value of an unquoted scalar."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if NUMBER.match(text) and len(text) <= MAX_DIGITS:
        return Decimal(text)
    return text


def _line(mark: Any) -> int:
    return mark.line + 1 if mark else 1


class _Builder:
    """Builder of documents from events, without recursion."""

    def __init__(self) -> None:
        self.documents: list[Tree] = []
        self.values = self.characters = 0
        # Each open mapping or list: itself, the pending key, its anchor, the size before it.
        self.open: list[tuple[Any, list[str], str | None, tuple[int, int]]] = []
        self.anchors: dict[str, tuple[Tree, int, int]] = {}  # Tree, values and characters

    def take(self, event: yaml.Event) -> None:
        line = _line(event.start_mark)
        if isinstance(event, yaml.DocumentStartEvent):
            self.anchors.clear()
            if len(self.documents) >= MAX_DOCUMENTS:
                raise UnreadableFile(f"The file has more than {MAX_DOCUMENTS:,} documents.")
        elif isinstance(event, yaml.CollectionEndEvent):
            value, _, anchor, (values, characters) = self.open.pop()
            if anchor:
                size = (self.values - values, self.characters - characters)
                self.anchors[anchor] = (value, *size)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event, line)
        elif isinstance(event, yaml.NodeEvent):
            self._node(event, line)

    def _alias(self, event: yaml.AliasEvent, line: int) -> None:
        if event.anchor not in self.anchors:
            raise UnreadableFile(
                f"Line {line}: the alias *{(event.anchor or '')[:40]} has no anchor before it."
            )
        value, values, characters = self.anchors[event.anchor]
        self._count(values, characters, line)
        self._place(value, line, is_plain_key=False)

    def _node(self, event: Any, line: int) -> None:
        before = (self.values, self.characters)
        length = len(event.value) if isinstance(event, yaml.ScalarEvent) else 0
        self._count(1, length, line)
        if event.tag is not None:
            raise UnreadableFile(f"Line {line}: YAML tags (!) aren't supported. Leave it out.")
        if isinstance(event, yaml.ScalarEvent):
            is_plain = event.style in {None, ""}
            value: Tree = plain(event.value) if is_plain else event.value
            if event.anchor:
                self.anchors[event.anchor] = (value, 1, length)
            key_text = event.value if self._awaits_key() else None
            self._place(key_text if key_text is not None else value, line, is_plain_key=is_plain)
            return
        if len(self.open) >= MAX_DEPTH:
            raise UnreadableFile(f"Line {line}: more than {MAX_DEPTH} levels of nesting.")
        made: Tree = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._place(made, line, is_plain_key=False)
        self.open.append((made, [], event.anchor, before))

    def _awaits_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1][0], dict) and not self.open[-1][1]

    def _place(self, value: Tree, line: int, *, is_plain_key: bool) -> None:
        if not self.open:
            self.documents.append(value)
            return
        parent, key, _, _ = self.open[-1]
        if isinstance(parent, list):
            parent.append(value)
        elif key:
            parent[key.pop()] = value
        elif not isinstance(value, str):
            raise UnreadableFile(f"Line {line}: a key isn't text.")
        elif value == "<<" and is_plain_key:
            raise UnreadableFile(
                f"Line {line}: merge keys (<<) aren't supported. Write the fields out."
            )
        elif value in parent:
            raise UnreadableFile(f"Line {line}: the key “{value[:40]}” appears twice.")
        else:
            key.append(value)

    def _count(self, values: int, characters: int, line: int) -> None:
        self.values += values
        self.characters += characters
        if self.values > MAX_VALUES:
            raise UnreadableFile(f"Line {line}: more than {MAX_VALUES:,} values in one file.")
        if self.characters > MAX_CHARACTERS:
            raise UnreadableFile(
                f"Line {line}: with what its aliases repeat, the file has more than"
                f" {MAX_CHARACTERS:,} characters."
            )


# ---- writing


class _Dumper(yaml.SafeDumper):
    """Dumper that writes exact numbers, and quotes text that would be read as another type."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)


def _number(dumper: yaml.SafeDumper, value: Decimal) -> yaml.ScalarNode:
    text = f"{value:f}"
    tag = "tag:yaml.org,2002:float" if "." in text else "tag:yaml.org,2002:int"
    return dumper.represent_scalar(tag, text)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = None if plain(value) == value and value.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(Decimal, _number)
_Dumper.add_representer(str, _text)


def write(documents: Iterable[Tree]) -> str:
    """Return YAML text with one document per tree."""
    return yaml.dump_all(
        documents,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        explicit_start=True,
        width=10_000,
    )
