"""Read official texts from a publisher's file, and preview their import. Pure functions.

    read_file(data, filename, catalogue)          the file's texts by the framework's ids
    compare_with_framework(file, catalogue, …)    the changes that an import would make

publisher_formats.py reads the formats, parsing.py sets limits, and identification.py decides which
framework a file belongs to.
"""

import hashlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from governance.assurance.frameworks import identification
from governance.assurance.frameworks.catalogue import Catalogue, normalise_ref, sort_key
from governance.assurance.frameworks.publisher_file import (
    MAX_NAMED,
    FileText,
    ImportRefused,
    Kind,
    PublisherFile,
)
from governance.assurance.frameworks.publisher_formats import open_file


@dataclass(frozen=True, slots=True)
class ImportedText:
    """A text on a requirement, possibly empty.

    AI RMF ids are normalized. Other ids are as in the file.
    """

    ref: str
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class RefusedText:
    """A text that can't be imported, and the reason as a clause: "parameter x has no value"."""

    ref: str
    kind: Kind
    reason: str


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """A parsed file of one framework. `problems` are sentences about omitted content."""

    format: str
    title: str
    edition: str
    sha256: str
    entries: tuple[ImportedText, ...]
    refused: tuple[RefusedText, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def refs(self) -> frozenset[str]:
        """All ids that the file has a text for, including empty and refused texts."""
        return frozenset(
            [*(each.ref for each in self.entries), *(each.ref for each in self.refused)]
        )


@dataclass(frozen=True, slots=True)
class ChangedText:
    """A text that differs from the one imported before."""

    ref: str
    kind: Kind
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """The changes that an import would make.

    Texts with a known id are `new`, `changed` or `unchanged`. `matched` are the known ids with
    text, `unknown` the ids that aren't in the framework, `missing` the assessable requirements that
    aren't in the file, `empty` the known ids without text, and `refused` the texts that can't be
    imported.
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
        """Whether every assessable requirement has a text. Otherwise the import is partial."""
        return not (self.missing or self.empty or self.refused)

    @property
    def importable(self) -> bool:
        """Whether there is a text to import or to confirm."""
        return bool(self.new or self.changed or self.unchanged)

    @property
    def written(self) -> tuple[str, ...]:
        """The ids that would get a new or changed text."""
        return in_order({*(each.ref for each in self.new), *(each.ref for each in self.changed)})


# --- Reading and comparing ------------------------------------------------------------------------


def read_file(data: bytes, filename: str, catalogue: Catalogue) -> ImportedFile:
    """Read a file of this framework.

    Raises ImportRefused if the file can't be read or doesn't belong to the framework.
    """
    file = open_file(data, filename)
    found = identification.measure_fit(file, catalogue)
    if not found.belongs:
        raise _other_framework(file, found, catalogue)
    problems = [*file.problems]
    refs = catalogue.refs
    placed = [(_framework_ref(each, refs), each) for each in file.texts]
    entries = _without_repeats(
        (ImportedText(ref, each.kind, each.text) for ref, each in placed if not each.refused),
        problems,
    )
    refused = tuple(
        RefusedText(ref, each.kind, each.refused) for ref, each in placed if each.refused
    )
    return ImportedFile(
        file.format,
        file.title,
        file.edition,
        hashlib.sha256(data).hexdigest(),
        entries,
        refused,
        tuple(problems),
    )


def compare_with_framework(
    imported: ImportedFile, catalogue: Catalogue, texts: Mapping[tuple[str, str], str]
) -> ImportPreview:
    """Compare the file with the framework and earlier imports. `texts` are by (ref, kind)."""
    refs = catalogue.refs
    known = [each for each in imported.entries if each.ref in refs]
    worded = [each for each in known if each.text]
    pairs = [(each, texts.get((each.ref, each.kind))) for each in worded]
    return ImportPreview(
        matched=in_order({each.ref for each in worded}),
        new=tuple(each for each, old in pairs if old is None),
        changed=tuple(
            ChangedText(each.ref, each.kind, old, each.text)
            for each, old in pairs
            if old is not None and old != each.text
        ),
        unchanged=tuple(each for each, old in pairs if old == each.text),
        unknown=in_order(imported.refs - refs),
        missing=in_order({each.ref for each in catalogue.assessable} - imported.refs),
        empty=in_order({each.ref for each in known if not each.text}),
        refused=tuple(each for each in imported.refused if each.ref in refs),
    )


def in_order(refs: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(refs, key=sort_key))


def list_refs(refs: Iterable[str]) -> str:
    ordered = in_order(refs)
    rest = len(ordered) - MAX_NAMED
    return ", ".join(ordered[:MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")


# --- Framework of the file ------------------------------------------------------------------------


def _other_framework(
    file: PublisherFile, found: identification.FrameworkFit, catalogue: Catalogue
) -> ImportRefused:
    name = f"{catalogue.title} {catalogue.version}"
    if found.is_named:
        refs = catalogue.refs
        unknown = {_framework_ref(each, refs) for each in file.texts} - refs
        sentence = (
            f"Only {found.alike:,} of the {found.total:,} ids in “{file.title}” belong to {name}."
            " More than half must."
        )
        return ImportRefused(f"{sentence} Unknown ids: {list_refs(unknown)}. Nothing was imported.")
    other = identification.best_fit(file)
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


def _framework_ref(each: FileText, refs: AbstractSet[str]) -> str:
    """Return the framework's spelling of an id, or else the official one, or else the file's."""
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
            f"The file has {list_refs(clashes)} more than once, with different texts. Keep one of"
            " each."
        )
    if repeats:
        problems.append(
            f"The file repeats {list_refs(repeats)} with the same text. Each was read once."
        )
    return tuple(kept.values())
