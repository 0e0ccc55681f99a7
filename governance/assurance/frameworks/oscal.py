"""Read OSCAL catalogs: groups, controls and parts in document order, with parameters resolved.

Pure functions. A parameter shows its values, or else its choices as "[Selection (one or more): a;
b]", or else its label as "[Assignment: label]". Constraints follow choices and labels. Sources: the
parameter, markup and insert definitions of the OSCAL 1.1 and 1.2 control model (NIST), and the
notation of SP 800-53.

Files are untrusted: inserts that are circular, or grow beyond a limit, are rejected.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from governance.assurance.frameworks.parsing import MAX_FILE_BYTES, MEGABYTE
from governance.assurance.frameworks.publisher_file import (
    MAX_NAMED,
    FileText,
    ImportRefused,
    Kind,
    PublisherFile,
    edition_of,
    file_text,
    not_imported,
    plain_line,
    plain_text,
)

FORMAT = "OSCAL catalog"
KIND_OF_PART: Mapping[str, Kind] = {
    "statement": "statement",
    "overview": "overview",
    "guidance": "about",
}
INSERT = re.compile(r"\{\{\s*insert:\s*param,\s*([^\s{},]+)\s*\}\}")
INTERNAL_LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(#[^()\[\]\s]*\)")
MAX_INSERT_DEPTH = 10  # Levels of parameters in choices. SP 800-53 has 2.
HOW_MANY = {"one-or-more": "one or more"}  # OSCAL's default is one.


class UnresolvedParameter(ValueError):
    """A parameter in a text can't be resolved. `args[0]` is a clause with the reason."""


class Parameters:
    """The parameters of a catalog by id.

    The length of all inserted texts together is limited to MAX_FILE_BYTES.
    """

    def __init__(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        """Index the definitions. An id with two different definitions can't be resolved."""
        self._definitions: dict[str, Mapping[str, Any]] = {}
        self._ambiguous: set[str] = set()
        self._resolved: dict[str, str | UnresolvedParameter] = {}
        self._inserted = 0
        for each in definitions:
            known = self._definitions.setdefault(plain_line(each.get("id")), each)
            if known != each:
                self._ambiguous.add(plain_line(each.get("id")))

    def resolve(self, text: str) -> str:
        """Replace every insert in the text.

        Raises UnresolvedParameter, or ImportRefused beyond the limits of size or depth.
        """
        return self._replaced(text, ())

    def _replaced(self, text: str, within: tuple[str, ...]) -> str:
        return INSERT.sub(lambda found: self._counted(self._shown(found[1], within)), text)

    def _counted(self, text: str) -> str:
        self._inserted += len(text)
        if self._inserted > MAX_FILE_BYTES:
            limit = MAX_FILE_BYTES // MEGABYTE
            raise ImportRefused(f"The parameters of this file insert more than {limit} MB of text.")
        return text

    def _shown(self, name: str, within: tuple[str, ...]) -> str:
        if name in within:
            raise UnresolvedParameter(f"parameter {name} inserts itself")
        if len(within) >= MAX_INSERT_DEPTH:
            raise ImportRefused(
                f"Parameter {within[0]} inserts others more than {MAX_INSERT_DEPTH} levels deep."
            )
        if name not in self._resolved:
            try:
                self._resolved[name] = self._made(self._definition(name), (*within, name))
            except UnresolvedParameter as fault:
                self._resolved[name] = fault
        found = self._resolved[name]
        if isinstance(found, UnresolvedParameter):
            raise UnresolvedParameter(*found.args)
        return found

    def _definition(self, name: str) -> Mapping[str, Any]:
        if name in self._ambiguous:
            raise UnresolvedParameter(
                f"the file defines parameter {name} more than once, differently"
            )
        if name not in self._definitions:
            raise UnresolvedParameter(f"the file does not define parameter {name}")
        return self._definitions[name]

    def _made(self, definition: Mapping[str, Any], within: tuple[str, ...]) -> str:
        name, select = within[-1], definition.get("select")
        if values := _texts(definition.get("values"), name):
            return self._replaced(", ".join(values), within)
        if isinstance(select, dict) and (choices := _texts(select.get("choice"), name)):
            how_many = HOW_MANY.get(plain_line(select.get("how-many")), "one")
            shown = f"Selection ({how_many}): {'; '.join(choices)}"
        elif label := plain_text(definition.get("label"), f"parameter {name}"):
            shown = f"Assignment: {label}"
        else:
            raise UnresolvedParameter(f"parameter {name} has no value, choice or label")
        found = [each.get("description") for each in _dicts(definition.get("constraints"))]
        constraints = [
            each for each in (plain_text(one, f"parameter {name}") for one in found) if each
        ]
        limited = f", constrained to: {'; '.join(constraints)}" if constraints else ""
        return self._replaced(f"[{shown}{limited}]", within)


def read_catalog(content: Mapping[str, Any]) -> PublisherFile:
    """Read the texts of every group and control.

    Raises ImportRefused for a value that isn't text.
    """
    catalog = content["catalog"]
    metadata = catalog["metadata"] if isinstance(catalog.get("metadata"), dict) else {}
    nodes = list(_nodes(catalog))
    parameters = Parameters(
        [each for node in (catalog, *nodes) for each in _dicts(node.get("params"))]
    )
    withdrawn = [node for node in nodes if _is_withdrawn(node)]
    live = [node for node in nodes if not _is_withdrawn(node)]
    title = plain_line(metadata.get("title")) or "untitled"
    return PublisherFile(
        format=FORMAT,
        title=title,
        names=(
            title,
            *(plain_line(each.get("identifier")) for each in _dicts(metadata.get("document-ids"))),
        ),
        edition=edition_of(
            ("version", metadata.get("version")), ("last modified", metadata.get("last-modified"))
        ),
        texts=tuple(text for node in live for text in _texts_of(node, parameters)),
        problems=tuple(_problems(live, withdrawn)),
    )


def _nodes(parent: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for each in (*_dicts(parent.get("groups")), *_dicts(parent.get("controls"))):
        yield each
        yield from _nodes(each)


def _is_withdrawn(node: Mapping[str, Any]) -> bool:
    states = (
        plain_line(each.get("value")).lower()
        for each in _dicts(node.get("props"))
        if each.get("name") == "status"
    )
    return "withdrawn" in states


def _problems(
    live: Sequence[Mapping[str, Any]], withdrawn: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    if nameless := sum(not _spellings(node) for node in live):
        yield f"Groups and controls without an id are left out ({nameless:,})."
    if withdrawn:
        names = [spelled[0] for node in withdrawn if (spelled := _spellings(node))]
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        yield (
            f"Withdrawn controls are left out ({len(withdrawn):,}):"
            f" {', '.join(names[:MAX_NAMED])}{more}."
        )
    parts = Counter(
        plain_line(part.get("name")) or "unnamed"
        for node in live
        for part in _dicts(node.get("parts"))
    )
    yield from not_imported(
        {name: count for name, count in parts.items() if name not in KIND_OF_PART}, "parts"
    )


def _spellings(node: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the node's spellings of its id: plain label, other labels, OSCAL id, title."""
    label = _label(node)
    name = plain_line(node.get("id"))
    if not (label or name):
        return ()
    labels = [
        plain_line(each.get("value"))
        for each in _dicts(node.get("props"))
        if each.get("name") == "label"
    ]
    return tuple(
        dict.fromkeys(
            each for each in (label, *labels, name, plain_line(node.get("title"))) if each
        )
    )


def _label(node: Mapping[str, Any]) -> str:
    labels = [each for each in _dicts(node.get("props")) if each.get("name") == "label"]
    plain = next((each for each in labels if "class" not in each), labels[0] if labels else {})
    return plain_line(plain.get("value"))


def _texts_of(node: Mapping[str, Any], parameters: Parameters) -> Iterator[FileText]:
    spellings = _spellings(node)
    parts: dict[Kind, list[Mapping[str, Any]]] = {}
    if "controls" not in node and "groups" not in node:
        parts["statement"] = []  # A control without prose counts as empty, not as missing.
    for part in _dicts(node.get("parts")):
        if kind := KIND_OF_PART.get(plain_line(part.get("name"))):
            parts.setdefault(kind, []).append(part)
    for kind, found in parts.items() if spellings else ():
        try:
            pieces = [piece for part in found for piece in _prose(part, spellings[0], parameters)]
        except UnresolvedParameter as fault:
            yield FileText(spellings, kind, "", str(fault))
        else:
            yield file_text(spellings, kind, "\n\n".join(pieces))


def _prose(
    part: Mapping[str, Any], ref: str, parameters: Parameters, label: str = ""
) -> Iterator[str]:
    """Yield the prose of a part and its nested parts, each after its label ("a.", "1.")."""
    text = plain_text(part.get("prose"), ref)
    try:
        resolved = INTERNAL_LINK.sub(r"\1", parameters.resolve(text)).strip()
    except UnresolvedParameter as fault:
        place = plain_line(part.get("id")) or plain_line(part.get("name"))
        raise UnresolvedParameter(f"in part {place}, {fault}") from None
    if resolved:
        yield f"{label} {resolved}".strip()
    for each in _dicts(part.get("parts")):
        yield from _prose(each, ref, parameters, _label(each))


def _texts(value: object, name: str) -> list[str]:
    found = (
        (plain_text(each, f"parameter {name}") for each in value) if isinstance(value, list) else ()
    )
    return [each for each in found if each]


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
