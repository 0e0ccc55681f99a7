"""Full-text search over what is not sealed: an inverted index by blocks of 256 entries, read from
the newest block back.

index_new_blocks() -> int     of the acting tenant: the words of blocks that became full; the jobs
                              process calls it
search(filters, zone, after)  a page of entries that hold every word, in the order of their places

The index says in which blocks to look; what is found there is compared exactly. Entries that are
not indexed yet, or have no place yet, are read as they are. A request looks into so many blocks and
no more, and says how far it came.
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, Select, func, intersect, or_, select, text

from governance.foundation.audit.models import AuditEntry, Leaf, LogHead, PendingEntry
from governance.foundation.logbook.filters import Filters, clear_words, end_of, matches
from governance.foundation.logbook.models import LogWord, SearchIndex
from governance.foundation.logbook.queries import PAGE, LogPage, NumberedEntry
from governance.kernel import clock, current
from governance.kernel.db import session, transaction
from governance.kernel.errors import Invalid

BLOCK = 256
AT_ONCE = 64  # blocks that one call indexes
BUDGET = 128  # blocks that one request looks into
STRIDE = 32  # blocks read in one statement at most
MOST_SPELLINGS = 50  # words that begin as the wanted one; beyond them the index does not narrow

ADD = text(
    "INSERT INTO log_words (tenant_id, id, word, block, created_at) SELECT :tenant,"
    " gen_random_uuid(), word, :block, :now FROM unnest(CAST(:words AS text[])) AS word ON CONFLICT"
    " DO NOTHING"
)
OPEN = text(
    "INSERT INTO log_search (tenant_id, id, blocks, created_at) VALUES (:tenant, gen_random_uuid(),"
    " 0, :now) ON CONFLICT DO NOTHING"
)
# One probe of the index for each spelling, however many rows each has.
SPELLINGS = text(
    "WITH RECURSIVE spelled (wanted, word, number) AS ( SELECT wanted, (SELECT min(word) FROM"
    " log_words WHERE tenant_id = :tenant AND word >= wanted AND word < until), 1 FROM"
    " unnest(CAST(:wanted AS text[]), CAST(:until AS text[])) AS w (wanted, until) UNION ALL SELECT"
    " s.wanted, (SELECT min(l.word) FROM log_words l WHERE l.tenant_id = :tenant AND l.word >"
    " s.word), s.number + 1 FROM spelled s WHERE starts_with(s.word, s.wanted) AND s.number <="
    " :most) SELECT wanted, word FROM spelled"
)


# ---- indexing


def index_new_blocks(*, limit: int = AT_ONCE) -> int:
    """Index the acting tenant's next full blocks, in a transaction of its own; how many.

    Killed, it leaves nothing half.
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
    """Locked: two processes index one block after the other, not the same one twice."""
    session().execute(OPEN, {"tenant": current.actor().tenant_id, "now": clock.now()})
    return (
        session()
        .scalars(select(SearchIndex).with_for_update().execution_options(populate_existing=True))
        .one()
    )


def _index(block: int) -> None:
    entries = session().scalars(_in_blocks([block])).all()
    held = set[str]().union(*(clear_words(entry) for entry in entries))
    values = {
        "tenant": current.actor().tenant_id,
        "block": block,
        "now": clock.now(),
        "words": sorted(held),
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
    """A page of entries that hold every word and pass the other filters, the newest places
    first.
    """
    size, indexed = _sizes()
    top = size if after is None else min(size, _place(after))
    rows = _waiting(filters, zone) if after is None else []
    blocks, is_last = _blocks(filters.words, top, indexed)
    looked = top
    for stride in _strides(blocks):
        rows += _holding(stride, filters, zone, top)
        looked = stride[-1] * BLOCK
        if len(rows) > PAGE:
            return LogPage(
                rows[:PAGE], str(rows[PAGE - 1].index if rows[PAGE - 1].index is not None else size)
            )
    return LogPage(rows, None) if is_last else LogPage(rows, str(looked), looked)


def _strides(blocks: Sequence[int]) -> Iterator[Sequence[int]]:
    """First one block, then twice as many each time: a common word is found at once, a rare one in
    few statements.
    """
    at, wide = 0, 1
    while at < len(blocks):
        yield blocks[at : at + wide]
        at, wide = at + wide, min(2 * wide, STRIDE)


def _place(mark: str) -> int:
    # digits of a bigint
    if not (mark.isascii() and mark.isdigit() and len(mark) < 19):  # noqa: PLR2004
        raise Invalid("The page mark in the address belongs to another list.")
    return int(mark)


def _sizes() -> tuple[int, int]:
    """(entries that have a place, those of them whose words are in the index)."""
    size = func.coalesce(select(LogHead.size).scalar_subquery(), 0)
    blocks = func.coalesce(select(SearchIndex.blocks).scalar_subquery(), 0)
    found = session().execute(select(size, blocks)).one()
    return found[0], found[1] * BLOCK


def _waiting(filters: Filters, zone: str) -> list[NumberedEntry]:
    """Entries without a place yet: there are few, so they are read as they are."""
    there = (PendingEntry.tenant_id == AuditEntry.tenant_id) & (PendingEntry.id == AuditEntry.id)
    query = (
        select(AuditEntry)
        .join(PendingEntry, there)
        .where(*filters.conditions(zone), *_seems_to_hold(filters.words))
    )
    newest = session().scalars(query.order_by(PendingEntry.number.desc()).limit(BLOCK * STRIDE))
    return [NumberedEntry(entry, None) for entry in newest if matches(entry, filters.words)][:PAGE]


def _blocks(words: Sequence[str], top: int, indexed: int) -> tuple[list[int], bool]:
    """The next blocks to look into, newest first, and whether there are no more behind them."""
    last = -(-top // BLOCK)
    fresh = list(range(last - 1, indexed // BLOCK - 1, -1))[: BUDGET + 1]
    known = (
        _indexed_blocks(words, min(last, indexed // BLOCK), BUDGET + 1 - len(fresh))
        if len(fresh) <= BUDGET
        else []
    )
    found = [*fresh, *known]
    return found[:BUDGET], len(found) <= BUDGET


def _indexed_blocks(words: Sequence[str], below: int, limit: int) -> list[int]:
    """Blocks that hold a word of each beginning.

    A beginning with too many words does not narrow, and is left to the comparison.
    """
    narrow = [spelled for spelled in _spellings(words).values() if len(spelled) <= MOST_SPELLINGS]
    if not narrow:
        return list(range(below - 1, -1, -1))[:limit]
    each = [
        select(LogWord.block.label("block")).where(LogWord.word.in_(spelled), LogWord.block < below)
        for spelled in narrow
    ]
    query = intersect(*each) if len(each) > 1 else each[0].distinct()
    return list(session().scalars(query.order_by(text("block DESC")).limit(limit)))


def _spellings(words: Sequence[str]) -> Mapping[str, list[str]]:
    """Beginning → the words of the index that begin so, one more than are of use at most."""
    found: dict[str, list[str]] = {word: [] for word in words}
    values = {
        "tenant": current.actor().tenant_id,
        "wanted": list(words),
        "until": [end_of(word) for word in words],
        "most": MOST_SPELLINGS,
    }
    for row in session().execute(SPELLINGS, values):
        if row.word is not None and row.word.startswith(row.wanted):
            found[row.wanted].append(row.word)
    return found


def _holding(blocks: Sequence[int], filters: Filters, zone: str, top: int) -> list[NumberedEntry]:
    """The entries of these blocks that hold every word, the newest place first."""
    query = _in_blocks(blocks).where(
        Leaf.index < top, *filters.conditions(zone), *_seems_to_hold(filters.words)
    )
    rows = session().execute(query.order_by(Leaf.index.desc()))
    return [NumberedEntry(entry, index) for entry, index in rows if matches(entry, filters.words)]


def _seems_to_hold(words: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    """Somewhere in its bytes: leaves most entries in the database.

    Case is folded alike on both sides for ASCII only.
    """
    for word in words:
        if word.isascii():
            yield func.strpos(func.lower(func.convert_from(AuditEntry.body, "UTF8")), word) > 0
