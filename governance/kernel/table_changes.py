"""Tables that change without an entry in the log: of each, a number that grows with the commit.

What follows from the log alone is kept under the log's number. Measurements, usage, the progress of
background work and what else changes without an entry have numbers of their own. No feature says
what it changes or reads: the statements of a transaction are heard (`kernel/db.py`), and a
transaction that changed a tenant's table and wrote no entry advances the number of that table with
its COMMIT. A table of no tenant, such as people, advances the revision of names, which is in the
number of every tenant.

    written(statement)      the tables that a statement changes
    words(statement)        names in it, those of the tables that it reads among them
    number_id(table, place) the row of `table_numbers` with a number; one of PLACES, so that
                            transactions seldom wait for each other's
    numbers_of(tables, found)        of the numbers found, those of these tables
"""

import re
from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from uuid import UUID

WRITTEN = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM|MERGE INTO)(?: ONLY)? \"?(\w+)")
# not a column of a table, nor a parameter: a list has one for each of its values
WORD = re.compile(r"(?<![.\w])(?<!%\()[a-z_]\w*")
ENTRIES = "audit_entries"  # who writes one advances the log's number
# bookkeeping that changes all the time: it has no numbers, and a page that reads it isn't kept
UNNUMBERED = frozenset(
    {
        "job_runs",
        "marks",
        "sessions",
        "table_numbers",
        "webhook_tickets",
        "work_failures",
        "work_tickets",
    }
)
PLACES = 8  # of a number, by the connection that advances it
type Numbers = Mapping[int, int]  # by the ids of their rows

ADVANCE = (
    "INSERT INTO table_numbers (tenant_id, id, number, created_at)"
    " SELECT %s, each, 1, now() FROM unnest(%s::uuid[]) AS each"  # in order: nobody deadlocks
    " ON CONFLICT (tenant_id, id) DO UPDATE SET number = table_numbers.number + 1"
)
ADVANCE_SHARED = (  # the revision of names: kernel/tenant_revision.py
    "INSERT INTO marks (id, number, created_at)"
    " VALUES ('00000000-0000-0000-0000-000000000001', 1, now())"
    " ON CONFLICT (id) DO UPDATE SET number = marks.number + 1"
)


@lru_cache(1024)
def written(statement: str) -> frozenset[str]:
    return frozenset(WRITTEN.findall(statement))


@lru_cache(512)
def words(statement: str) -> frozenset[str]:
    return frozenset(WORD.findall(statement))


def number_id(table: str, place: int) -> UUID:
    return UUID(int=_first(table) + place % PLACES)


def numbers_of(tables: Collection[str], found: Numbers) -> tuple[tuple[int, int], ...]:
    wanted = {_first(table) for table in tables}
    return tuple(sorted(pair for pair in found.items() if pair[0] - pair[0] % PLACES in wanted))


@cache
def _first(table: str) -> int:
    """Of the ids of its rows."""
    found = int.from_bytes(blake2b(table.encode(), digest_size=16).digest())
    return found - found % PLACES
