"""A document assembled from the record and from what people wrote for each point. Pure.

assemble(kind, points, statements)     the points with their entries, in order
open_points(assembled)                 the points without an entry
frozen(assembled), thawed(kind, …)     as a completed version stores them
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from governance.kernel.record_points import RecordPoint
from governance.publishing.system_documents.catalogue import DocumentKind, Point, Section


@dataclass(frozen=True, slots=True)
class Entry:
    """One sentence, with the name and page of the record that it is bound to."""

    text: str
    source: str
    endpoint: str = ""
    values: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class AssembledPoint:
    """A point with its entries. It is open if it has none."""

    point: Point
    entries: tuple[Entry, ...]

    @property
    def is_open(self) -> bool:
        return not self.entries


@dataclass(frozen=True, slots=True)
class AssembledSection:
    section: Section
    points: tuple[AssembledPoint, ...]


def assemble(
    kind: DocumentKind, record: Iterable[RecordPoint], statements: Mapping[str, Entry]
) -> tuple[AssembledSection, ...]:
    """Bind each point of the document to the entries of the record and of people.

    `statements` are the entries that people wrote, by point. They come after the record's.
    """
    found: dict[str, list[Entry]] = {}
    for each in record:
        values = {name: str(value) for name, value in each.values.items()}
        for key in each.points:
            found.setdefault(key, []).append(Entry(each.text, each.source, each.endpoint, values))
    for key, entry in statements.items():
        found.setdefault(key, []).append(entry)
    return _sections(kind, found)


def _sections(
    kind: DocumentKind, found: Mapping[str, Sequence[Entry]]
) -> tuple[AssembledSection, ...]:
    return tuple(
        AssembledSection(
            section,
            tuple(AssembledPoint(each, tuple(found.get(each.key, ()))) for each in section.points),
        )
        for section in kind.sections
    )


def points_in(sections: Iterable[AssembledSection]) -> list[AssembledPoint]:
    return [each for section in sections for each in section.points]


def open_points(sections: Iterable[AssembledSection]) -> list[Point]:
    """Return the points without an entry."""
    return [each.point for each in points_in(sections) if each.is_open]


def frozen(sections: Iterable[AssembledSection]) -> list[dict[str, Any]]:
    """Return what each point says, as JSON can hold it."""
    return [
        {"point": each.point.key, "entries": [asdict(entry) for entry in each.entries]}
        for each in points_in(sections)
    ]


def thawed(
    kind: DocumentKind, content: Iterable[Mapping[str, Any]]
) -> tuple[AssembledSection, ...]:
    """Return the sections of a completed version."""
    return _sections(
        kind, {each["point"]: [Entry(**entry) for entry in each["entries"]] for each in content}
    )


def changed_points(
    before: Iterable[AssembledSection], now: Iterable[AssembledSection]
) -> list[Point]:
    """Return the points whose entries have changed."""
    earlier = {each.point.key: each.entries for each in points_in(before)}
    return [
        each.point
        for each in points_in(now)
        if [(e.text, e.source) for e in earlier.get(each.point.key, ())]
        != [(e.text, e.source) for e in each.entries]
    ]
