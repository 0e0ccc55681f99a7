"""The search index, updated in the transactions that change the objects.

    differences()              compare the acting tenant's index with its objects, and repair it
    rebuild()                  write the acting tenant's index again
    compare_before_commit()    all of it, when this transaction is about to be committed

A flush shows which rows changed. A bulk statement doesn't, so all objects of the kinds that it may
have changed are compared before its transaction is committed.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import delete, event, inspect, select, text
from sqlalchemy.orm import ORMExecuteState, Session

from governance.foundation.privacy.events import PersonErased
from governance.foundation.search.models import SearchDocument, SearchWord
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.manifest import IndexedSearch, installed
from governance.kernel.pages.search_words import COMMON_WORDS, folded, words_of

MAX_DOCUMENT_WORDS = 60
MAX_TITLE_LENGTH = 300  # Characters.
ROWS = 1_000  # Rows that are read or written at once.
CHANGED_KINDS = "kinds that a bulk statement changed"

SAVE = text(
    "WITH given AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[]),"
    " CAST(:refs AS text[]), CAST(:titles AS text[]), CAST(:parents AS uuid[]),"
    " CAST(:codes AS text[]), CAST(:words AS text[]))"
    " AS g (id, kind, ref, title, parent, code, words))"
    " INSERT INTO search_documents"
    " (tenant_id, id, kind, ref, title, parent, code, words, created_at)"
    " SELECT :tenant, id, kind, ref, title, parent, code, words, :now FROM given"
    " ON CONFLICT (tenant_id, id) DO UPDATE SET kind = excluded.kind, ref = excluded.ref,"
    " title = excluded.title, parent = excluded.parent, code = excluded.code,"
    " words = excluded.words"
)
SAVE_WORDS = text(
    "INSERT INTO search_words (tenant_id, kind, word, id, created_at)"
    " SELECT :tenant, kind, word, id, :now FROM unnest(CAST(:ids AS uuid[]),"
    " CAST(:words AS text[]), CAST(:kinds AS text[])) AS g (id, word, kind)"
    " ON CONFLICT DO NOTHING"
)
REMOVE_WORDS = text(
    "DELETE FROM search_words w USING search_documents d"
    " WHERE d.id = ANY(:ids) AND w.kind = d.kind AND w.id = d.id"
    " AND w.word = ANY(string_to_array(btrim(d.words), ' '))"
)
REMOVE_THESE_WORDS = text(
    "DELETE FROM search_words WHERE kind = :kind AND word = ANY(:words) AND id = :id"
)
REMOVE = text("DELETE FROM search_documents WHERE id = ANY(:ids)")


@dataclass(frozen=True, slots=True)
class Document:
    """An object's entry in the index."""

    id: UUID
    kind: str
    ref: str
    title: str
    parent: UUID | None
    code: str
    words: str

    @property
    def stored(self) -> tuple[Any, ...]:
        """The object's row in search_documents."""
        return self.kind, self.ref, self.title, self.parent, self.code, self.words

    @property
    def looked_up(self) -> set[str]:
        """The object's words in search_words."""
        return set(self.words.split()) - COMMON_WORDS


def document(source: IndexedSearch, row: Any) -> Document | None:
    """Return the words by which a row is found; None for one that isn't found."""
    found = source.text(row)
    if found is None:
        return None
    title, code = found.title[:MAX_TITLE_LENGTH], "".join(words_of(found.ref))
    every = f"{code} {folded(found.ref)} {folded(title)} {folded(found.also)}".split()
    words = f" {' '.join([*dict.fromkeys(every)][:MAX_DOCUMENT_WORDS])} "
    return Document(row.id, source.kind, found.ref, title, found.parent, code, words)


# ---- following the objects


def indexed() -> list[IndexedSearch]:
    """Return the kinds of the installed features that are in the index."""
    return [s for each in installed() for s in each.search if isinstance(s, IndexedSearch)]


@dataclass(slots=True)
class _Known:
    """The indexed classes of the manifests that are installed."""

    manifests: object = None
    sources: dict[type[Any], IndexedSearch] = field(default_factory=dict)


_known = _Known()


def _sources() -> dict[type[Any], IndexedSearch]:
    if _known.manifests is not installed():
        _known.sources = {source.model: source for source in indexed()}
        _known.manifests = installed()
    return _known.sources


@event.listens_for(Session, "after_flush")
def _follow_flush(work: Session, _context: object) -> None:
    sources = _sources()
    new = [each for each in work.new if type(each) in sources]
    changed = [each for each in work.dirty if type(each) in sources and _is_changed(each, sources)]
    gone = [each for each in work.deleted if type(each) in sources]
    if not (new or changed or gone):
        return
    pairs = [(each, document(sources[type(each)], each)) for each in (*new, *changed)]
    _remove(work, [each.id for each in gone] + [each.id for each in changed])
    by_tenant: dict[UUID, list[Document]] = {}
    for each, found in pairs:
        if found is not None:
            by_tenant.setdefault(each.tenant_id, []).append(found)
    for tenant_id, documents in by_tenant.items():
        _save(work, tenant_id, documents)


def _is_changed(row: Any, sources: dict[type[Any], IndexedSearch]) -> bool:
    attributes = inspect(row).attrs
    return any(attributes[name].history.has_changes() for name in sources[type(row)].reads)


@event.listens_for(Session, "do_orm_execute")
def _note_bulk(state: ORMExecuteState) -> None:
    if state.is_select or state.bind_mapper is None:
        return
    source = _sources().get(state.bind_mapper.class_)
    if source is not None:
        state.session.info.setdefault(CHANGED_KINDS, set()).add(source.kind)


def compare_before_commit(_erased: PersonErased) -> None:
    """Compare every kind before the commit: an erasure replaces names in the text of any row."""
    kinds = {source.kind for source in indexed()}
    session().info.setdefault(CHANGED_KINDS, set()).update(kinds)


@event.listens_for(Session, "before_commit")
def _follow_bulk(work: Session) -> None:
    if work.in_nested_transaction():
        return
    kinds = work.info.pop(CHANGED_KINDS, None)
    if kinds:
        work.flush()
        for source in indexed():
            if source.kind in kinds:
                _repair(source, work)


def _remove(work: Session, ids: Collection[UUID]) -> None:
    for statement in (REMOVE_WORDS, REMOVE) if ids else ():
        work.connection().execute(statement, {"ids": list(ids)})


def _save(work: Session, tenant_id: UUID, documents: Sequence[Document]) -> None:
    connection, facts = work.connection(), {"tenant": tenant_id, "now": clock.now()}
    for start in range(0, len(documents), ROWS):
        given = documents[start : start + ROWS]
        values: dict[str, Any] = {
            "ids": [each.id for each in given],
            "kinds": [each.kind for each in given],
            "refs": [each.ref for each in given],
            "titles": [each.title for each in given],
            "parents": [each.parent for each in given],
            "codes": [each.code for each in given],
            "words": [each.words for each in given],
        }
        connection.execute(SAVE, values | facts)
        rows = [(each, word) for each in given for word in sorted(each.looked_up)]
        values = {
            "ids": [each.id for each, _ in rows],
            "words": [word for _, word in rows],
            "kinds": [each.kind for each, _ in rows],
        }
        connection.execute(SAVE_WORDS, values | facts)


# ---- comparing and writing again


def differences() -> int:
    """Repair what differs in the acting tenant's index; return how many objects that were."""
    known = [source.kind for source in indexed()]
    gone = 0
    for model in (SearchWord, SearchDocument):
        strays = delete(model).where(model.kind.not_in(known)).returning(model.id)
        gone += len(set(session().scalars(strays)))
    return gone + sum(_repair(source, session(), words=True) for source in indexed())


def rebuild() -> int:
    """Write the acting tenant's index again; return how many objects it has."""
    for model in (SearchWord, SearchDocument):
        session().execute(delete(model))
    return sum(_repair(source, session()) for source in indexed())


def _repair(source: IndexedSearch, work: Session, *, words: bool = False) -> int:
    """Make the index of a kind equal to its objects, by slices of their ids.

    With `words` it compares the words themselves, too.
    """
    differing, after = 0, UUID(int=0)
    while True:
        rows = work.execute(_rows(source, after)).all()
        until = rows[-1].id if len(rows) == ROWS else None
        there = {each.id: each for each in _documents(source, rows)}
        stored = _stored(source, work, after, until)
        wrong = {i for i, each in there.items() if stored.get(i) != each.stored}
        gone = stored.keys() - there.keys()
        if words:
            kept = _stored_words(source, work, after, until)
            wrong |= {i for i, each in there.items() if kept.get(i, set()) != each.looked_up}
            gone |= kept.keys() - there.keys()
            for i in wrong | gone:
                _remove_words(source, work, i, kept.get(i, set()))
        _remove(work, [*gone, *wrong])
        if wrong:
            _save(work, work.info["tenant_id"], [there[i] for i in wrong])
        differing += len(wrong) + len(gone)
        if until is None:
            return differing
        after = until


def _remove_words(source: IndexedSearch, work: Session, row_id: UUID, words: set[str]) -> None:
    values = {"kind": source.kind, "words": list(words), "id": row_id}
    work.connection().execute(REMOVE_THESE_WORDS, values)


def _documents(source: IndexedSearch, rows: Iterable[Any]) -> Iterator[Document]:
    for row in rows:
        found = document(source, row)
        if found is not None:
            yield found


def _rows(source: IndexedSearch, after: UUID) -> Any:
    model = source.model
    columns = [model.id, *(getattr(model, name) for name in source.reads)]
    return select(*columns).where(model.id > after).order_by(model.id).limit(ROWS)


def _slice(model: Any, source: IndexedSearch, after: UUID, until: UUID | None) -> list[Any]:
    here = [model.kind == source.kind, model.id > after]
    return here if until is None else [*here, model.id <= until]


def _stored(
    source: IndexedSearch, work: Session, after: UUID, until: UUID | None
) -> dict[UUID, tuple[Any, ...]]:
    d = SearchDocument
    query = select(d.id, d.kind, d.ref, d.title, d.parent, d.code, d.words)
    rows = work.execute(query.where(*_slice(d, source, after, until)))
    return {row.id: tuple(row)[1:] for row in rows}


def _stored_words(
    source: IndexedSearch, work: Session, after: UUID, until: UUID | None
) -> dict[UUID, set[str]]:
    found: dict[UUID, set[str]] = {}
    w = SearchWord
    for row in work.execute(select(w.id, w.word).where(*_slice(w, source, after, until))):
        found.setdefault(row.id, set()).add(row.word)
    return found
