"""Find a person's name and address in the text of this tenant's rows; replace them by "[erased]".

    found(traces) -> Found        counts, by table and column; changes nothing
    replace(traces) -> Found      the same, replaced; what could not be is under `left`

It walks every text and JSON column of every table of the tenant, so no feature can be forgotten;
decision 0010 says why this is one place. The columns come from the models, the permission to change
them from the database: what is append-only there is counted and left.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Column,
    String,
    Table,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError

from governance.kernel import current
from governance.kernel.data.compiled_select import TENANT, CompiledSelect
from governance.kernel.data.db import Model, session

MARK = "[erased]"
LARGE = {
    "audit_entries",
    "audit_checkpoints",
    "log_words",
}  # As long as the log, and never changed: counted once, when it is done.
DERIVED = {"search_documents", "search_words"}  # These follow the rows that they are made from.
SEALED = {("audit_entries", "sealed")}  # Ciphertext.
CHANGEABLE = """
SELECT c.relname FROM pg_class c
WHERE c.relkind = 'r' AND has_table_privilege(c.oid, 'UPDATE')
  AND NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'append_only')
"""


@dataclass(frozen=True, slots=True)
class Traces:
    """The words by which a person is found.

    They are current and former names and addresses that their encrypted fields still contain.
    """

    person_id: UUID
    names: frozenset[str]
    addresses: frozenset[str]

    @property
    def too_common(self) -> frozenset[str]:
        """Names of one word, which mean other things too: "Done" would match every state."""
        # A name has at least a first and a last part.
        return frozenset(name for name in self.names if len(name.split()) < 2)  # noqa: PLR2004

    @property
    def words(self) -> list[str]:
        return sorted(
            (self.names - self.too_common) | self.addresses, key=lambda word: (-len(word), word)
        )


@dataclass(slots=True)
class RedactionCounts:
    """The number of rows, by "table.column"."""

    replaced: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)


def found(traces: Traces) -> RedactionCounts:
    """Count what would change, in one statement, without the log: a page waits for this."""
    result, free = RedactionCounts(), _changeable()
    for name, rows in _rows_by_column(traces).items():
        (result.replaced if name.partition(".")[0] in free else result.left)[name] = rows
    return result


def replace(traces: Traces) -> RedactionCounts:
    """Replace the traces. Columns without a trace, which are most, get no second statement."""
    result, free, holding = RedactionCounts(), _changeable(), _rows_by_column(traces)
    for table, column in _columns() if traces.words else ():
        name = _named(table, column)
        if name not in holding and table.name not in LARGE:
            continue
        rows = _replaced(table, column, traces) if table.name in free else None
        if rows is None:
            rows, home = _counted(table, column, traces), result.left
        else:
            home = result.replaced
        if rows:
            home[name] = rows
    return result


def _rows_by_column(traces: Traces) -> dict[str, int]:
    """Count the rows with a trace, by "table.column", without the log."""
    if not traces.words:
        return {}
    return dict(_counts_of(len(traces.words)).rows(**_values(traces)))


@lru_cache(maxsize=16)
def _counts_of(words: int) -> CompiledSelect[tuple[str, int]]:
    """Return the statement for that many words, cached: it is so long that compiling costs most."""
    counts = [
        select(literal(_named(t, c)).label("name"), func.count().label("rows"))
        .select_from(t)
        .where(t.c.tenant_id == bindparam(TENANT, type_=Uuid()), _holds(c, words))
        .having(func.count() > 0)
        for t, c in _columns()
        if t.name not in LARGE
    ]
    return CompiledSelect(lambda: union_all(*counts), lambda row: (row[0], row[1]))


def patterns(words: list[str]) -> dict[bool, str]:
    """Return patterns of PostgreSQL for plain text (False) and for JSON (True).

    They match complete words only, in any case. In JSON the escape of a line's end may precede a
    word, and its letter is no part of a word.
    """
    quoted = [json.dumps(word, ensure_ascii=False)[1:-1] for word in words]
    return {
        False: "|".join(_whole(word, "") for word in words),
        True: "|".join(_whole(word, ESCAPED) for word in quoted),
    }


ESCAPED = r"|(?<=\\[bfnrt])"


def _whole(word: str, escaped: str) -> str:
    """Return the pattern of one complete word.

    Another address may end or begin with this one: `x.ines@acme.example` with `ines@acme.example`.
    """
    literal_word = re.sub(r"([^\w\s@])", r"\\\1", word)
    if "@" in word:
        return rf"(?:(?<![\w+-])(?<!\w\.){escaped}){literal_word}(?![\w-])(?!\.\w)"
    return rf"(?:(?<!\w){escaped}){literal_word}(?!\w)"


def _columns() -> Iterator[tuple[Table, Column[Any]]]:
    for table in Model.metadata.sorted_tables:
        walked = "tenant_id" in table.columns and table.name not in DERIVED
        for column in table.columns if walked else ():
            if isinstance(column.type, String | JSON) and (table.name, column.name) not in SEALED:
                yield table, column


def _changeable() -> set[str]:
    return set(session().scalars(text(CHANGEABLE)))


def _named(table: Table, column: Column[Any]) -> str:
    return f"{table.name}.{column.name}"


def _here(table: Table) -> Any:
    return table.c.tenant_id == current.actor().tenant_id


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, JSON)


def _holds(column: Column[Any], words: int) -> Any:
    """Return the condition. The plain search is first: the expression costs ten times as much."""
    written, kind = cast(column, Text), "json" if _is_json(column) else "text"
    plain = (
        func.strpos(func.lower(written), func.lower(bindparam(f"{kind}_{n}", type_=Text()))) > 0
        for n in range(words)
    )
    whole = written.regexp_match(bindparam(f"{kind}_pattern", type_=Text()), flags="i")
    return or_(*plain) & whole


def _values(traces: Traces) -> dict[str, str]:
    """Return the values that `_holds` searches for."""
    words = traces.words
    quoted = [json.dumps(word, ensure_ascii=False)[1:-1] for word in words]
    by_kind = patterns(words)
    return {
        "text_pattern": by_kind[False],
        "json_pattern": by_kind[True],
        **{f"text_{n}": word for n, word in enumerate(words)},
        **{f"json_{n}": word for n, word in enumerate(quoted)},
    }


def _counted(table: Table, column: Column[Any], traces: Traces) -> int:
    query = select(func.count()).select_from(table)
    query = query.where(_here(table), _holds(column, len(traces.words)))
    return session().scalar(query, _values(traces)) or 0


def _replaced(table: Table, column: Column[Any], traces: Traces) -> int | None:
    """Return the number of changed rows; None if two rows would then have the same name."""
    is_json = _is_json(column)
    after: Any = func.regexp_replace(
        cast(column, Text), patterns(traces.words)[is_json], MARK, "gi"
    )
    change = (
        update(table)
        .where(_here(table), _holds(column, len(traces.words)))
        .values({column: cast(after, JSONB) if is_json else after})
    )
    try:
        with session().begin_nested():
            done = session().execute(change, _values(traces))
            return int(done.rowcount)  # type: ignore[attr-defined]  # CursorResult at run time
    except IntegrityError:
        return None
