"""Official texts from a publisher's file: recognise it, read it, show what importing it would
change.

    open_file(data, filename) -> PublisherFile      a CISO Assistant library, the NIST Playbook or
                                                    an OSCAL catalog
    read(data, filename, catalogue) -> Imported     the same, with the framework's ids; another
                                                    framework's is refused
    compare(imported, catalogue, held) -> Preview
    Entry, RefusedText, Imported, Change, Preview   frozen values

Pure: bytes in, values out. parsing.py sets the limits, identification.py tells which framework a
file belongs to, oscal.py resolves the parameters of an OSCAL catalog.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NoReturn

from governance.assurance.frameworks import identification, oscal
from governance.assurance.frameworks.catalogue import Catalogue, normalise_ref, sort_key
from governance.assurance.frameworks.parsing import ACCEPTED, parsed
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

CISO, PLAYBOOK, OSCAL = "CISO Assistant library", "NIST AI RMF Playbook", oscal.FORMAT
PLAYBOOK_FIELDS: Mapping[str, Kind] = {
    "description": "playbook wording",
    "section_about": "about",
    "section_actions": "actions",
    "section_doc": "documentation",
    "section_ref": "references",
}
PLAYBOOK_STRUCTURE = {"title", "type", "category"}  # where an item belongs, not what it says
CISO_STRUCTURE = {"urn", "ref_id", "parent_urn", "depth", "assessable", "description"}

KNOWN_OTHERS = (  # keys that give a format away, what it is
    ({"own_short_labels"}, "a list of SOC 2 criteria ids"),
    ({"bomFormat"}, "a CycloneDX bill of materials"),
    ({"component-definition"}, "an OSCAL component definition"),
    ({"mapping-collection"}, "an OSCAL mapping"),
    ({"system-security-plan"}, "an OSCAL system security plan"),
    ({"assessment-plan"}, "an OSCAL assessment plan"),
    ({"assessment-results"}, "OSCAL assessment results"),
    ({"plan-of-action-and-milestones"}, "an OSCAL plan of action"),
    ({"$schema"}, "a JSON schema"),
    ({"response"}, "a CPRT export"),
    ({"action_id", "suggested_action"}, "the Cloud Security Alliance's list of AI 600-1 actions"),
    (
        {"subcategory_id", "category_id"},
        "the Cloud Security Alliance's table of AI RMF subcategories",
    ),
)


@dataclass(frozen=True, slots=True)
class ImportedText:
    """One text, perhaps "", on one requirement.

    An AI RMF id has our spelling, others the file's.
    """

    ref: str
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class RefusedText:
    """A text that can't be imported, and why, as a clause:

    "parameter x has no value, choice or label".
    """

    ref: str
    kind: Kind
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A file of one framework.

    `problems` are sentences about what was noticed and left out; they stop nothing.
    """

    format: str
    title: str
    edition: str
    sha256: str
    entries: tuple[ImportedText, ...]
    refused: tuple[RefusedText, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def refs(self) -> frozenset[str]:
        """Every id that the file has a text for, also an empty or refused one."""
        return frozenset(
            [*(each.ref for each in self.entries), *(each.ref for each in self.refused)]
        )


@dataclass(frozen=True, slots=True)
class ChangedText:
    """The file's text differs from the one that was imported before."""

    ref: str
    kind: Kind
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do:

    `new`, `changed` and `unchanged` divide up every worded text with a known id.

    `matched` are the ids with words, `unknown` those that the framework does not have. `missing`
    are the assessable requirements that the file leaves out, `empty` those listed with no words,
    `refused` the texts with a known id that can't be imported.
    """

    matched: tuple[str, ...]
    new: tuple[ImportedText, ...]
    changed: tuple[ChangedText, ...]
    unchanged: tuple[ImportedText, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    empty: tuple[str, ...]
    refused: tuple[RefusedText, ...] = ()

    @property
    def complete(self) -> bool:
        """Every assessable requirement has words; False marks the import as partial."""
        return not (self.missing or self.empty or self.refused)

    @property
    def importable(self) -> bool:
        """There is at least one text to import or to confirm."""
        return bool(self.new or self.changed or self.unchanged)

    @property
    def written(self) -> tuple[str, ...]:
        """The ids that would get a text, new or changed."""
        return _in_order({*(each.ref for each in self.new), *(each.ref for each in self.changed)})


# --- The three questions --------------------------------------------------------------------------


def open_file(data: bytes, filename: str) -> PublisherFile:
    """Recognise and read a file of at most MAX_FILE_BYTES.

    Raises ImportRefused with a sentence on what is wrong.
    """
    content = parsed(data, filename)
    file = _reader(content)(content)
    if not file.texts:
        raise ImportRefused(f"This {file.format} (“{file.title}”) has no requirement with an id.")
    return file


def read(data: bytes, filename: str, catalogue: Catalogue) -> Imported:
    """Read a file of this framework.

    Raises ImportRefused, naming the file, when most of its ids are another's.
    """
    file = open_file(data, filename)
    found = identification.fit(file, catalogue)
    if not found.belongs:
        raise _of_another(file, found, catalogue)
    problems = [*file.problems]
    refs = catalogue.refs
    placed = [(_ref(each, refs), each) for each in file.texts]
    entries = _without_repeats(
        (ImportedText(ref, each.kind, each.text) for ref, each in placed if not each.refused),
        problems,
    )
    refused = tuple(
        RefusedText(ref, each.kind, each.refused) for ref, each in placed if each.refused
    )
    return Imported(
        file.format,
        file.title,
        file.edition,
        hashlib.sha256(data).hexdigest(),
        entries,
        refused,
        tuple(problems),
    )


def compare(
    imported: Imported, catalogue: Catalogue, held: Mapping[tuple[str, str], str]
) -> Preview:
    """Compare the file with the framework and with the texts imported before, keyed by (ref,
    kind).
    """
    refs = catalogue.refs
    known = [each for each in imported.entries if each.ref in refs]
    worded = [each for each in known if each.text]
    pairs = [(each, held.get((each.ref, each.kind))) for each in worded]
    return Preview(
        matched=_in_order({each.ref for each in worded}),
        new=tuple(each for each, old in pairs if old is None),
        changed=tuple(
            ChangedText(each.ref, each.kind, old, each.text)
            for each, old in pairs
            if old is not None and old != each.text
        ),
        unchanged=tuple(each for each, old in pairs if old == each.text),
        unknown=_in_order(imported.refs - refs),
        missing=_in_order({each.ref for each in catalogue.assessable} - imported.refs),
        empty=_in_order({each.ref for each in known if not each.text}),
        refused=tuple(each for each in imported.refused if each.ref in refs),
    )


def _in_order(refs: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(refs, key=sort_key))


def _named(refs: Iterable[str]) -> str:
    ordered = _in_order(refs)
    rest = len(ordered) - MAX_NAMED
    return ", ".join(ordered[:MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")


# --- Which framework it is of ---------------------------------------------------------------------


def _of_another(
    file: PublisherFile, found: identification.Fit, catalogue: Catalogue
) -> ImportRefused:
    name = f"{catalogue.title} {catalogue.version}"
    if found.is_named:
        refs = catalogue.refs
        unknown = {_ref(each, refs) for each in file.texts} - refs
        said = (
            f"Only {found.alike:,} of the {found.total:,} ids in “{file.title}” belong to {name}."
            " Most must."
        )
        return ImportRefused(f"{said} Not in it: {_named(unknown)}. Nothing was imported.")
    other = identification.fitting(file)
    fits = (
        f" It fits {other.title} {other.version}: open that framework and import the file there."
        if other
        else ""
    )
    alike = (
        f"{found.alike:,} of its {found.total:,} ids {'looks' if found.alike == 1 else 'look'} like"
        " that framework's."
    )
    return ImportRefused(
        f"This {file.format} (“{file.title}”) is not {name}. {alike} Nothing was imported.{fits}",
        fits=other.key if other else None,
    )


def _ref(each: FileText, refs: AbstractSet[str]) -> str:
    """The framework's spelling of the id; of an id that it does not have, the official or the
    file's own spelling.
    """
    known = identification.ref_in(each.spellings, refs)
    return known or next(
        (ref for one in each.spellings if (ref := normalise_ref(one))), each.spellings[0]
    )


def _without_repeats(
    entries: Iterable[ImportedText], problems: list[str]
) -> tuple[ImportedText, ...]:
    kept: dict[tuple[str, str], ImportedText] = {}
    clashes: set[str] = set()
    repeats: set[str] = set()
    for each in entries:
        first = kept.setdefault((each.ref, each.kind), each)
        if first is not each:
            (repeats if first.text == each.text else clashes).add(each.ref)
    if clashes:
        raise ImportRefused(
            f"The file gives {_named(clashes)} more than once, with different texts."
        )
    if repeats:
        problems.append(
            f"The file gives {_named(repeats)} twice or more with the same text; each was read"
            " once."
        )
    return tuple(kept.values())


# --- Which format it is ---------------------------------------------------------------------------


def _reader(content: object) -> Callable[[Any], PublisherFile]:
    if isinstance(content, list):
        first = content[0] if content else None
        if isinstance(first, dict) and {"title", "section_about"} <= first.keys():
            return _playbook
        _refuse_other(first, "a list of something else")
    if isinstance(content, dict):
        if isinstance(content.get("catalog"), dict):
            return oscal.read_catalog
        if isinstance(content.get("profile"), dict):
            _refuse_profile(content["profile"])
        if isinstance(content.get("objects"), dict) and "urn" in content:
            return _ciso
        keys = ", ".join(str(each)[:40] for each in list(content)[:5]) or "no keys"
        _refuse_other(content, f"a file with the keys {keys}")
    raise ImportRefused(f"This looks like plain text. {ACCEPTED}")


def _refuse_profile(profile: Mapping[str, Any]) -> NoReturn:
    metadata = profile.get("metadata")
    title = plain_line(metadata.get("title")) if isinstance(metadata, dict) else ""
    raise ImportRefused(
        f"This is an OSCAL profile (“{title or 'untitled'}”): it selects controls of other files"
        " and has no texts. Import its resolved catalog instead, a file whose name usually ends in"
        " “resolved-profile_catalog.json”."
    )


def _refuse_other(sample: object, otherwise: str) -> NoReturn:
    keys = sample.keys() if isinstance(sample, dict) else set[str]()
    looks = next((name for telling, name in KNOWN_OTHERS if telling <= keys), otherwise)
    raise ImportRefused(f"This looks like {looks}. {ACCEPTED}")


def _playbook(content: list[Any]) -> PublisherFile:
    texts: list[FileText] = []
    for number, each in enumerate(content, 1):
        if not isinstance(each, dict) or not plain_line(each.get("title")):
            raise ImportRefused(
                f"Item {number} of the Playbook has no title: its requirement is not known."
            )
        ref = plain_line(each["title"])
        texts += [
            file_text((ref,), kind, plain_text(each[key], ref))
            for key, kind in PLAYBOOK_FIELDS.items()
            if key in each
        ]
    dated = any("category" in each for each in content)
    edition = (
        "with category ids (2024 or later)" if dated else "without category ids (as in April 2023)"
    )
    left_out = _fields(content, {*PLAYBOOK_FIELDS, *PLAYBOOK_STRUCTURE})
    return PublisherFile(
        PLAYBOOK,
        PLAYBOOK,
        (PLAYBOOK,),
        f"undated, {edition}",
        tuple(texts),
        tuple(not_imported(left_out, "fields")),
    )


def _ciso(content: dict[str, Any]) -> PublisherFile:
    title = plain_line(content.get("name")) or "untitled"
    framework = content["objects"].get("framework")
    if not isinstance(framework, dict) or not isinstance(framework.get("requirement_nodes"), list):
        has = ", ".join(map(str, content["objects"])) or "nothing"
        raise ImportRefused(f"This CISO Assistant library (“{title}”) has no framework, but {has}.")
    nodes = [each for each in framework["requirement_nodes"] if isinstance(each, dict)]
    named = [(ref, each) for each in nodes if (ref := plain_line(each.get("ref_id")))]
    without = len(framework["requirement_nodes"]) - len(named)
    problems = (
        [f"Nodes without an id (preambles and notes) are left out ({without:,})."]
        if without
        else []
    )
    problems += not_imported(_fields([each for _, each in named], CISO_STRUCTURE), "fields")
    names = [each.get(key) for each in (content, framework) for key in ("name", "ref_id", "urn")]
    return PublisherFile(
        format=CISO,
        title=title,
        names=tuple(each for each in map(plain_line, names) if each),
        edition=edition_of(
            ("version", content.get("version")), ("of", content.get("publication_date"))
        ),
        texts=tuple(_node(ref, each) for ref, each in named),
        problems=tuple(problems),
    )


def _node(ref: str, node: Mapping[str, Any]) -> FileText:
    assessable = plain_line(node.get("assessable")).lower() == "true"
    return file_text(
        (ref,), "statement" if assessable else "overview", plain_text(node.get("description"), ref)
    )


def _fields(items: Iterable[Mapping[str, Any]], known: Iterable[str]) -> Counter[str]:
    """How often each other field has something in it."""
    return Counter(
        plain_line(key) or "unnamed"
        for each in items
        for key in each.keys() - set(known)
        if each[key]
    )
