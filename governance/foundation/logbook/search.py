"""Full-text search over what is not encrypted.

The index is inverted, by blocks of 256 entries, and is read from the newest block back.

index_new_blocks() -> int     index the acting tenant's blocks that became full; the jobs process
                              calls it
search(filters, zone, after)  a page of entries that have every word, in the order of their places

The index says in which blocks to look; the entries there are compared exactly. Entries that are not
indexed yet, and pending ones, are read directly. A request reads a limited number of blocks and
reports how far it came.
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, Select, func, intersect, or_, select, text

from governance.foundation.audit.models import AuditEntry, Leaf, LogHead, PendingEntry
from governance.foundation.logbook.filters import Filters, clear_words, end_of, matches
from governance.foundation.logbook.models import LogWord, SearchIndex
from governance.foundation.logbook.queries import PAGE, LogPage, NumberedEntry
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import Invalid

BLOCK = 256
MAX_BLOCKS_INDEXED = 64  # Per call.
MAX_BLOCKS_READ = 128  # Per request.
MAX_BLOCKS_PER_STATEMENT = 32
MAX_SPELLINGS = 50  # Indexed words that begin with a searched one. Beyond, the index doesn't help.

ADD = text(
    "INSERT INTO log_words (tenant_id, id, word, block, created_at)"
    " SELECT :tenant, gen_random_uuid(), word, :block, :now"
    " FROM unnest(CAST(:words AS text[])) AS word ON CONFLICT DO NOTHING"
)
OPEN = text(
    "INSERT INTO log_search (tenant_id, id, blocks, created_at)"
    " VALUES (:tenant, gen_random_uuid(), 0, :now) ON CONFLICT DO NOTHING"
)
# One index probe per spelling, however many rows it has.
SPELLINGS = text(
    "WITH RECURSIVE spelled (prefix, word, number) AS ("
    " SELECT prefix, (SELECT min(word) FROM log_words"
    " WHERE tenant_id = :tenant AND word >= prefix AND word < until), 1"
    " FROM unnest(CAST(:prefixes AS text[]), CAST(:until AS text[])) AS w (prefix, until)"
    " UNION ALL"
    " SELECT s.prefix, (SELECT min(l.word) FROM log_words l"
    " WHERE l.tenant_id = :tenant AND l.word > s.word), s.number + 1"
    " FROM spelled s WHERE starts_with(s.word, s.prefix) AND s.number <= :most)"
    " SELECT prefix, word FROM spelled"
)


# ---- indexing


def index_new_blocks(*, limit: int = MAX_BLOCKS_INDEXED) -> int:
    """Index the acting tenant's next full blocks in a transaction of its own; return how many.

    A killed run leaves no partial work.
    """
    with transaction():
        size = session().scalar(select(LogHead.size)) or 0
        have = session().scalar(select(SearchIndex.blocks)) or 0
        if size // BLOCK <= have:
            return 0
        index = _opened()
        until = min(size // BLOCK, index.blocks + limit)
        done = max(0, until - index.blocks)
        for block in range(index.blocks, until):
            _index(block)
        index.blocks = max(index.blocks, until)
        return done


def _opened() -> SearchIndex:
    """Return the index, locked: two processes never index the same block."""
    session().execute(OPEN, {"tenant": current.actor().tenant_id, "now": clock.now()})
    return (
        session()
        .scalars(select(SearchIndex).with_for_update().execution_options(populate_existing=True))
        .one()
    )


def _index(block: int) -> None:
    entries = session().scalars(_in_blocks([block])).all()
    words = set[str]().union(*(clear_words(entry) for entry in entries))
    values = {
        "tenant": current.actor().tenant_id,
        "block": block,
        "now": clock.now(),
        "words": sorted(words),
    }
    session().execute(ADD, values)
    for entry in entries:
        session().expunge(entry)


def _in_blocks(blocks: Sequence[int]) -> Select[AuditEntry, int]:
    there = (Leaf.tenant_id == AuditEntry.tenant_id) & (Leaf.id == AuditEntry.id)
    ranges = (Leaf.index.between(block * BLOCK, block * BLOCK + BLOCK - 1) for block in blocks)
    return select(AuditEntry, Leaf.index).join(Leaf, there).where(or_(*ranges))


# ---- searching


def search(filters: Filters, zone: str, *, after: str | None = None) -> LogPage:
    """Return a page of entries that have every word and match the other filters, newest first."""
    size, indexed = _sizes()
    top = size if after is None else min(size, _place(after))
    rows = _waiting(filters, zone) if after is None else []
    blocks, is_last = _blocks(filters.words, top, indexed)
    reached = top
    for stride in _strides(blocks):
        rows += _holding(stride, filters, zone, top)
        reached = stride[-1] * BLOCK
        if len(rows) > PAGE:
            return LogPage(
                rows[:PAGE], str(rows[PAGE - 1].index if rows[PAGE - 1].index is not None else size)
            )
    return LogPage(rows, None) if is_last else LogPage(rows, str(reached), reached)


def _strides(blocks: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield one block, then twice as many each time.

    A common word is found at once, a rare one in few statements.
    """
    at, width = 0, 1
    while at < len(blocks):
        yield blocks[at : at + width]
        at, width = at + width, min(2 * width, MAX_BLOCKS_PER_STATEMENT)


def _place(cursor: str) -> int:
    # Digits of a bigint.
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):  # noqa: PLR2004
        raise Invalid(
            "The page in this address belongs to another list. Start from the first page."
        )
    return int(cursor)


def _sizes() -> tuple[int, int]:
    """Return (entries that have a place, those of them that are indexed)."""
    size = func.coalesce(select(LogHead.size).scalar_subquery(), 0)
    blocks = func.coalesce(select(SearchIndex.blocks).scalar_subquery(), 0)
    found = session().execute(select(size, blocks)).one()
    return found[0], found[1] * BLOCK


def _waiting(filters: Filters, zone: str) -> list[NumberedEntry]:
    """Return matching entries without a place yet; there are few, so they are read directly."""
    there = (PendingEntry.tenant_id == AuditEntry.tenant_id) & (PendingEntry.id == AuditEntry.id)
    query = (
        select(AuditEntry)
        .join(PendingEntry, there)
        .where(*filters.conditions(zone), *_seems_to_hold(filters.words))
    )
    newest = session().scalars(
        query.order_by(PendingEntry.number.desc()).limit(BLOCK * MAX_BLOCKS_PER_STATEMENT)
    )
    return [NumberedEntry(entry, None) for entry in newest if matches(entry, filters.words)][:PAGE]


def _blocks(words: Sequence[str], top: int, indexed: int) -> tuple[list[int], bool]:
    """Return the next blocks to read, newest first, and whether they are the last ones."""
    last = -(-top // BLOCK)
    fresh = list(range(last - 1, indexed // BLOCK - 1, -1))[: MAX_BLOCKS_READ + 1]
    known = (
        _indexed_blocks(words, min(last, indexed // BLOCK), MAX_BLOCKS_READ + 1 - len(fresh))
        if len(fresh) <= MAX_BLOCKS_READ
        else []
    )
    found = [*fresh, *known]
    return found[:MAX_BLOCKS_READ], len(found) <= MAX_BLOCKS_READ


def _indexed_blocks(words: Sequence[str], below: int, limit: int) -> list[int]:
    """Return blocks that have a word with each of these beginnings, newest first.

    A beginning with too many words doesn't narrow the search; the comparison decides.
    """
    narrow = [spelled for spelled in _spellings(words).values() if len(spelled) <= MAX_SPELLINGS]
    if not narrow:
        return list(range(below - 1, -1, -1))[:limit]
    each = [
        select(LogWord.block.label("block")).where(LogWord.word.in_(spelled), LogWord.block < below)
        for spelled in narrow
    ]
    query = intersect(*each) if len(each) > 1 else each[0].distinct()
    return list(session().scalars(query.order_by(text("block DESC")).limit(limit)))


def _spellings(words: Sequence[str]) -> Mapping[str, list[str]]:
    """Return beginning → indexed words with it, at most one more than MAX_SPELLINGS."""
    found: dict[str, list[str]] = {word: [] for word in words}
    values = {
        "tenant": current.actor().tenant_id,
        "prefixes": list(words),
        "until": [end_of(word) for word in words],
        "most": MAX_SPELLINGS,
    }
    for row in session().execute(SPELLINGS, values):
        if row.word is not None and row.word.startswith(row.prefix):
            found[row.prefix].append(row.word)
    return found


def _holding(blocks: Sequence[int], filters: Filters, zone: str, top: int) -> list[NumberedEntry]:
    """Return the entries of these blocks that have every word, newest place first."""
    query = _in_blocks(blocks).where(
        Leaf.index < top, *filters.conditions(zone), *_seems_to_hold(filters.words)
    )
    rows = session().execute(query.order_by(Leaf.index.desc()))
    return [NumberedEntry(entry, index) for entry, index in rows if matches(entry, filters.words)]


def _seems_to_hold(words: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    """Match the words anywhere in the bytes, so that most entries stay in the database.

    Case folds the same way on both sides only for ASCII.
    """
    for word in words:
        if word.isascii():
            yield func.strpos(func.lower(func.convert_from(AuditEntry.body, "UTF8")), word) > 0
