"""Search for objects that the reader may open, in at most four statements.

    find(what)                 everything, by kinds
    find(what, kinds={"control"}, per_kind=50)

Objects of kinds that may have very many come from the index (models.py): the rarest typed word
determines which objects to compare, at most READ of a kind, so no search takes long. If a reader
sees only some objects of a kind, only those are compared: neither a count nor the time that it
takes reveals the others. The rest is read completely, or is in memory.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import current_app, url_for
from sqlalchemy import (
    Row,
    Select,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    union_all,
)

from governance.foundation.search.models import SearchDocument
from governance.kernel.data.db import session
from governance.kernel.manifest import (
    Command,
    Hit,
    IndexedSearch,
    NavItem,
    ObjectCommand,
    ObjectSearch,
    SectionTab,
    installed,
)
from governance.kernel.pages.search_words import COMMON_WORDS, Typed, found_in, rank
from governance.kernel.safety.access import allowed
from governance.kernel.safety.visibility_scope import limits
from governance.kernel.web.feature import Feature

READ = 1_000  # Objects of a kind that one search compares.
READ_ALONE = 500  # The same for one word, which no other word narrows.
LAST = chr(0x10FFFF)  # Sorts after every word with the same beginning.
VERB, PAGE, TERM = "command", "page", "term"
ORDER = {VERB: 0, PAGE: 1, TERM: 3}  # Order among equal matches; everything else is 2.

SIZES = text(
    "SELECT (SELECT count(*) FROM (SELECT FROM search_words WHERE kind = ANY(:kinds)"
    " AND word >= t.word AND word < t.until LIMIT :most) AS w) AS size, t.word"
    " FROM unnest(CAST(:words AS text[]), CAST(:untils AS text[])) AS t (word, until)"
)
# Each document is read by its id: otherwise PostgreSQL would read all of them.
FOUND = text(
    "WITH found AS ("
    " SELECT d.id, d.kind, d.ref, d.title, d.parent, CASE WHEN d.code = :code THEN 0"
    " WHEN d.code <> '' AND starts_with(d.code, :code) THEN 1"
    " WHEN d.words LIKE ALL (CAST(:whole AS text[])) THEN 2 ELSE 3 END AS rank"
    " FROM unnest(CAST(:kinds AS text[])) AS k (kind) CROSS JOIN LATERAL ("
    " SELECT DISTINCT id FROM (SELECT id FROM search_words"
    " WHERE kind = k.kind AND word >= :from AND word < :until"
    " ORDER BY word, id LIMIT :read) AS w) AS x"
    " CROSS JOIN LATERAL (SELECT * FROM search_documents WHERE id = x.id OFFSET 0) AS d"
    " WHERE d.words LIKE ALL (CAST(:begins AS text[]))),"
    " numbered AS (SELECT *, count(*) OVER (PARTITION BY kind) AS of_kind, row_number() OVER"
    " (PARTITION BY kind ORDER BY rank, length(title), ref, id) AS number FROM found)"
    " SELECT id, kind, ref, title, parent, rank, of_kind FROM numbered"
    " WHERE number <= :per_kind ORDER BY rank, length(title), ref, id"
)


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object with the address of its page. Lower ranks come first."""

    kind: str
    id: UUID | None
    ref: str
    title: str
    href: str
    rank: int

    @property
    def label(self) -> str:
        is_told = self.ref.casefold() in self.title.casefold().split()
        return self.title if is_told else f"{self.ref} {self.title}".strip()


@dataclass(slots=True)
class FoundKind:
    """The matches of a kind: the best ones, and how many there are."""

    kind: str
    many: str
    objects: list[FoundObject] = field(default_factory=list)
    count: int = 0


@dataclass(slots=True)
class Findings:
    """The matches, the best kind first.

    `is_partial`: the words are so common that there may be more than was compared.
    """

    kinds: list[FoundKind] = field(default_factory=list)
    is_partial: bool = False

    @property
    def count(self) -> int:
        return sum(group.count for group in self.kinds)


type Source = ObjectSearch | IndexedSearch


def sources(kinds: Collection[str] | None = None) -> dict[str, Source]:
    """Return the kinds of objects whose pages the reader's role may open."""
    return {
        source.kind: source
        for each in installed()
        for source in each.search
        if (kinds is None or source.kind in kinds) and opens(source.endpoint)
    }


def opens(endpoint: str) -> bool:
    """Return whether the reader may open pages of that endpoint at all."""
    blueprint = current_app.blueprints.get(endpoint.rpartition(".")[0])
    whole = isinstance(blueprint, Feature) and blueprint.counts_everything
    needs = vars(current_app.view_functions[endpoint])["needs"]
    return allowed(needs) and not (whole and limits() is not None)


def find(
    what: Typed, raw: str, *, kinds: Collection[str] | None = None, per_kind: int = 5
) -> Findings:
    """Return the objects that have a word with each of these beginnings."""
    if not what:
        return Findings()
    here, found = sources(kinds), Findings()
    groups: dict[str, FoundKind] = {}
    for each, count in _objects(here, what, raw, per_kind, found):
        source = here[each.kind]
        group = groups.setdefault(each.kind, FoundKind(each.kind, plural_of(source)))
        group.objects.append(each)
        group.count = max(count, len(group.objects))
    groups |= {group.kind: group for group in _in_memory(what, raw, kinds)}
    for group in groups.values():
        group.objects = sorted(group.objects, key=lambda each: each.rank)[:per_kind]
    found.kinds = sorted(groups.values(), key=_place)
    return found


def first_of(kinds: Collection[str], limit: int) -> list[FoundObject]:
    """Return the first objects of these kinds by title."""
    every = sources(kinds)
    here = {k: s for k, s in every.items() if isinstance(s, IndexedSearch)}
    few = {k: s for k, s in every.items() if isinstance(s, ObjectSearch)}
    d, seen = SearchDocument, {kind: source.seen() for kind, source in here.items()}
    shown = [
        (d.kind == kind) & (true() if ids is None else d.id.in_(ids)) for kind, ids in seen.items()
    ]
    query = select(d).where(or_(false(), *shown)).order_by(d.title, d.id).limit(limit)
    found = [
        FoundObject(row.kind, row.id, row.ref, row.title, _href(here[row.kind], row), 0)
        for row in (session().scalars(query) if here else ())
    ]
    found += [
        FoundObject(kind, row_id, ref, title, _href_of_few(few[kind], row_id, ref), 0)
        for kind, row_id, ref, title in _of_few(few, "")
    ]
    return sorted(found, key=lambda each: each.title)[:limit]


def _href(source: IndexedSearch, row: Any) -> str:
    return url_for(source.endpoint, **source.address(row.id, row.ref, row.parent))


def _href_of_few(source: ObjectSearch, row_id: UUID, ref: str) -> str:
    return url_for(source.endpoint, **source.address(row_id, ref))


def _place(group: FoundKind) -> tuple[int, int, str]:
    return group.objects[0].rank, ORDER.get(group.kind, 2), group.many


def plural_of(source: Source) -> str:
    return source.many or f"{source.kind}s"


def _objects(
    here: dict[str, Source], what: Typed, raw: str, per_kind: int, into: Findings
) -> Iterator[tuple[FoundObject, int]]:
    """Yield objects, each with the number of its kind as far as the database counted them."""
    indexed = {k: s for k, s in here.items() if isinstance(s, IndexedSearch)}
    narrowed = {k: seen for k, s in indexed.items() if (seen := s.seen()) is not None}
    whole = [kind for kind in indexed if kind not in narrowed]
    for row in (*_of_index(whole, what, per_kind, into), *_of_seen(narrowed, what)):
        source = indexed[row.kind]
        best = rank(what, row.ref, row.title)
        found = FoundObject(row.kind, row.id, row.ref, row.title, _href(source, row), best)
        yield found, row.of_kind
    few = {k: s for k, s in here.items() if isinstance(s, ObjectSearch)}
    for kind, row_id, ref, title in _of_few(few, raw):
        href = _href_of_few(few[kind], row_id, ref)
        yield FoundObject(kind, row_id, ref, title, href, rank(what, ref, title)), 0


def _of_index(
    kinds: Sequence[str], what: Typed, per_kind: int, into: Findings
) -> Sequence[Row[Any]]:
    if not kinds:
        return ()
    word, size = _rarest(kinds, what)
    most = READ_ALONE if len(what.words) == 1 else READ
    values: dict[str, Any] = {
        "kinds": list(kinds),
        "code": what.code,
        "begins": [f"% {each}%" for each in what.words],
        "whole": [f"% {each} %" for each in what.words],
        "from": word,
        "until": word + LAST,
        "read": most,
        "per_kind": per_kind,
    }
    rows = session().execute(FOUND, values).all()
    into.is_partial = size >= most or any(row.of_kind >= most for row in rows)
    return rows


def _rarest(kinds: Sequence[str], what: Typed) -> tuple[str, int]:
    """Return the typed word that begins the fewest words of the index, with their number.

    One word needs no comparison: what it finds is counted anyway.
    """
    words = [word for word in what.words if word not in COMMON_WORDS] or what.words[-1:]
    if len(words) == 1:
        return words[0], 0
    values = {
        "kinds": list(kinds),
        "words": words,
        "untils": [word + LAST for word in words],
        "most": 2 * READ,
    }
    size, word = min(tuple(row) for row in session().execute(SIZES, values))
    return word, size


def _of_seen(narrowed: dict[str, Select[UUID]], what: Typed) -> Iterable[Any]:
    """Return matches among the objects that the reader sees, of kinds that they see only partly."""
    d = SearchDocument
    begin = [d.words.like(f"% {word}%") for word in what.words]
    parts = [
        select(d.id, d.kind, d.ref, d.title, d.parent, literal(0).label("of_kind"))
        .where(d.kind == kind, d.id.in_(seen), *begin)
        .order_by(func.length(d.title), d.ref)
        .limit(READ)
        .subquery()
        for kind, seen in narrowed.items()
    ]
    return session().execute(union_all(*(select(*part.c) for part in parts))) if parts else ()


def _of_few(few: dict[str, ObjectSearch], raw: str) -> Iterable[Any]:
    """Return (kind, id, ref, title) of everything that the sources find, in one statement."""
    parts = []
    for kind, source in few.items():
        query = source.find(raw)
        if query is not None:
            part = query.limit(READ).subquery()
            parts.append(select(literal(kind).label("kind"), *part.c))
    return session().execute(union_all(*parts)) if parts else ()


# ---- in memory


def _in_memory(what: Typed, raw: str, kinds: Collection[str] | None) -> Iterator[FoundKind]:
    hits = [*commands(what), *pages(what), *_of_features(raw)]
    groups: dict[str, FoundKind] = {}
    for hit in hits:
        if kinds is None or hit.hint in kinds:
            group = groups.setdefault(hit.hint, FoundKind(hit.hint, f"{hit.hint}s"))
            found = FoundObject(hit.hint, None, "", hit.label, hit.href, hit_rank(what, hit))
            group.objects.append(found)
            group.count += 1
    yield from groups.values()


def hit_rank(what: Typed, hit: Hit) -> int:
    """Return the rank of what is found by its label alone, whose first words may be a reference."""
    if hit.hint in (VERB, PAGE, TERM):
        return rank(what, "", hit.label)
    words = hit.label.split()
    refs = (" ".join(words[:1]), " ".join(words[:2]))
    return min(rank(what, ref, hit.label) for ref in refs)


def entries() -> list[Any]:
    """Return what the features' manifests have for the palette."""
    return [entry for each in installed() for entry in each.palette]


def commands(what: Typed) -> Iterator[Hit]:
    """Yield the commands that the reader may run."""
    for command in entries():
        if (
            isinstance(command, Command)
            and found_in(what, command.label, command.also)
            and allowed(command.permission)
            and opens(command.endpoint)
        ):
            yield Hit(command.label, VERB, url_for(command.endpoint))


def pages(what: Typed) -> Iterator[Hit]:
    """Yield the pages of the navigation that the reader may open."""
    items: list[NavItem | SectionTab] = []
    for each in installed():
        items += [*each.navigation, *each.tabs]
    seen = set[str]()
    for item in items:
        named = item.label not in seen and found_in(what, item.label)
        hidden = item.counts_everything and limits() is not None
        if named and not hidden and allowed(item.permission) and opens(item.endpoint):
            seen.add(item.label)
            yield Hit(item.label, PAGE, url_for(item.endpoint))


def _of_features(raw: str) -> Iterator[Hit]:
    for source in entries():
        if not isinstance(source, Command | ObjectCommand):
            yield from source(raw)
