"""The child process that reads a usage file with DuckDB. Its orders are JSON on standard input.

    {"do": "check", …}     print a summary of the file: counts, totals, the first rejected rows
    {"do": "write", …}     write its events for PostgreSQL, in a file for each customer

The files it writes have the columns of file_storing.COPIED. Every statement reads the file in one
pass, and spills what doesn't fit into memory to the folder.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from governance.economics.imports import csv_lines, duckdb_files
from governance.economics.usage import usage_file_checks as checks
from governance.economics.usage.usage_file_checks import REPEATED, TEXTS, TOKENS, VALUE, WRONG

type Connection = duckdb.DuckDBPyConnection
SHARE_ROWS = 4_000_000  # rows whose ids are compared at a time
SPLIT_BYTES = 8 * 1024 * 1024
NUMBERED = "SELECT row_number() OVER () AS n, * FROM {}"
LINES = f"""
SELECT n, CASE WHEN json_valid(line) THEN CAST(line AS JSON) END AS line
FROM ({NUMBERED}) WHERE trim(line) <> ''"""  # noqa: S608 - no empty lines
DATE = "%Y-%m-%d %H:%M:%S.%f+00"


class _Unreadable(Exception):
    """The reason why no row of the file can be read."""


def main(orders: dict[str, Any]) -> dict[str, Any]:
    """Run the orders and return the answer."""
    path = Path(orders["path"])
    try:
        with duckdb_files.limited(path.parent) as connection:
            _look_up(connection, orders)
            _open(connection, path, orders)
            return (_check if orders["do"] == "check" else _write)(connection, path, orders)
    except _Unreadable as error:
        return {"problem": str(error)}
    except duckdb_files.UNREADABLE as error:
        if "memory" in str(error).lower():
            raise MemoryError from None
        return {"problem": "The file is damaged.", "details": str(error)[:500]}


def _look_up(connection: Connection, orders: dict[str, Any]) -> None:
    """Create tables of the customers and their AI systems."""
    connection.execute("CREATE TABLE tenants (slug VARCHAR, tenant_no USMALLINT)")
    connection.execute("CREATE TABLE systems (tenant_no USMALLINT, slug VARCHAR, system_id UUID)")
    for table, rows in (("tenants", orders["tenants"]), ("systems", orders["systems"])):
        if rows:
            marks = ", ".join("?" for _ in rows[0])
            insert = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608 - names of ours
            connection.executemany(insert, rows)


def _open(connection: Connection, path: Path, orders: dict[str, Any]) -> None:
    """Create the view `checked`: every row with its number, instant, ids and failed check."""
    source, columns = _source(connection, path, orders)
    fields = ", ".join(f"{value} AS {checks.name(each)}" for each, value in columns.items())
    wrong = WRONG
    for limit in ("earliest", "latest"):
        wrong = wrong.replace(f"${limit}", f"TIMESTAMPTZ {duckdb_files.quoted(orders[limit])}")
    view = f"""
CREATE VIEW checked AS
WITH given AS (SELECT n, {fields} FROM ({source})),
found AS (
  SELECT given.*, tenants.tenant_no, system_id, TRY_CAST("at" AS TIMESTAMPTZ) AS instant
  FROM given LEFT JOIN tenants ON tenants.slug = tenant
  LEFT JOIN systems ON systems.tenant_no = tenants.tenant_no AND systems.slug = system
)
SELECT *, {wrong} AS wrong FROM found"""  # noqa: S608 - names of ours, and quoted texts
    connection.execute(view)


def _source(
    connection: Connection, path: Path, orders: dict[str, Any]
) -> tuple[str, Mapping[str, str]]:
    """Return a query of the file's rows with their numbers `n`, and each field's expression."""
    if orders["format"] == "parquet":
        rows, header = duckdb_files.parquet_size(connection, path)
        if rows > orders["max_rows"]:
            raise _Unreadable(f"The file has {rows:,} rows. The maximum is {orders['max_rows']:,}.")
        _check_header(header)
        return NUMBERED.format(duckdb_files.parquet_source(path)), checks.columns_of(header)
    if orders["format"] == "jsonl":
        return LINES.format(duckdb_files.line_source(path)), checks.columns_of_lines()
    delimiter, header = csv_lines.read_header(path)
    _check_header(header)
    if csv_lines.has_open_quote(path):
        raise _Unreadable("A quote opens and never closes. Export the file again.")
    source = duckdb_files.csv_source(path, header, delimiter)
    return NUMBERED.format(source), checks.columns_of(header)


def _check_header(header: list[str]) -> None:
    wanted = ", ".join(checks.COLUMNS)
    if len(header) > len(checks.COLUMNS):
        raise _Unreadable(f"The file has {len(header):,} columns. They are {wanted}.")
    for each in header:
        if each not in checks.COLUMNS:
            raise _Unreadable(f"The column “{each[:40]}” isn't known. The columns are {wanted}.")
    if missing := [each for each in checks.NEEDED if each not in header]:
        raise _Unreadable(f"The file has no column {missing[0]}. The columns are {wanted}.")


# ---- check


QUARTER = 15 * 60 * 1_000_000  # microseconds; every time zone's day begins at a quarter hour
FACTS = f"""
CREATE TABLE facts AS SELECT n, tenant_no, wrong, hash(tenant_no, id) AS key,
  hash(instant, system_id, {", ".join(map(checks.name, (*TEXTS, *TOKENS)))}) AS content,
  epoch_us(instant) // {QUARTER} AS quarter,
  {" + ".join(f"coalesce(TRY_CAST({each} AS BIGINT), 0)" for each in TOKENS)} AS tokens
FROM checked"""  # noqa: S608 - names of ours
# Repeated ids are searched in one share of the ids at a time: all groups wouldn't fit in memory.
AGAIN_TABLE = "CREATE TABLE again (key UBIGINT, first BIGINT, differs BOOLEAN)"
AGAIN = """
INSERT INTO again SELECT key, min(n), min(content) <> max(content)
FROM facts WHERE wrong = 0 AND key % ?::UBIGINT = ?::UBIGINT
GROUP BY key HAVING count(*) > 1"""
DIFFERENT = f"""
UPDATE facts SET wrong = {REPEATED} FROM again
WHERE again.key = facts.key AND differs AND n <> first AND wrong = 0"""  # noqa: S608 - as above
COUNTS = """
SELECT count(*), count(*) FILTER (wrong = 0),
  (SELECT coalesce(sum(c) - count(*), 0) FROM (SELECT count(*) AS c FROM facts
    JOIN again USING (key) WHERE NOT differs GROUP BY key)) FROM facts"""
TOTALS = f"""
WITH counted AS (SELECT tenant_no, quarter, count(*) AS events, sum(tokens) AS tokens
  FROM facts WHERE wrong = 0 GROUP BY ALL)
SELECT strftime(make_timestamptz(quarter * {QUARTER}) AT TIME ZONE $zone, '%Y-%m'), slug,
  sum(events), sum(tokens)
FROM counted JOIN tenants USING (tenant_no) GROUP BY 1, 2 ORDER BY 1, 2"""  # noqa: S608 - as above
REJECTED = f"""
SELECT n, wrong, NULL FROM facts WHERE wrong = {REPEATED}
UNION ALL SELECT n, wrong, left({VALUE}, 60) FROM checked WHERE wrong <> 0
ORDER BY n LIMIT {checks.MAX_REJECTED}"""  # noqa: S608 - as above


def _check(connection: Connection, path: Path, orders: dict[str, Any]) -> dict[str, Any]:
    connection.execute(FACTS)
    connection.execute(AGAIN_TABLE)
    counted = connection.execute("SELECT count(*) FROM facts").fetchone() or (0,)
    shares = 1 + counted[0] // SHARE_ROWS
    for share in range(shares):
        connection.execute(AGAIN, [shares, share])
    connection.execute(DIFFERENT)
    rows, accepted, again = connection.execute(COUNTS).fetchone() or (0, 0, 0)
    broken = _broken_lines(connection) if orders["format"] == "csv" else []
    if rows + len(broken) == 0:
        raise _Unreadable("The file has no rows.")
    if rows + len(broken) > orders["max_rows"]:
        raise _Unreadable(f"The file has more than {orders['max_rows']:,} rows. Split it.")
    totals = TOTALS.replace("$zone", duckdb_files.quoted(orders["zone"]))
    found = connection.execute(totals).fetchall()
    rejected = connection.execute(REJECTED).fetchall() if accepted < rows else []
    listed = [[row[0], *checks.reason(row[1]), row[2]] for row in rejected]
    if orders["format"] == "csv" and (listed or broken):
        listed = csv_lines.with_lines(path, listed, broken)[: checks.MAX_REJECTED]
    return {
        "rows": rows + len(broken),
        "accepted": accepted,
        "again": int(again),
        "totals": [[month, slug, int(rows), int(tokens)] for month, slug, rows, tokens in found],
        "rejected": listed,
    }


def _broken_lines(connection: Connection) -> list[tuple[int, str]]:
    """Return (position, reason) of malformed lines, such as those with a wrong number of cells."""
    query = """
SELECT line_byte_position, min(error_type) FROM reject_errors GROUP BY 1 ORDER BY 1"""
    return [(row[0], _broken(str(row[1]))) for row in connection.execute(query).fetchall()]


def _broken(kind: str) -> str:
    if "COLUMNS" in kind:
        return "The row has another number of cells than the header."
    return "The row can't be read as CSV: check its quotes."


# ---- write


WRITTEN = f"""
SELECT tenant_no, CASE WHEN wrong = 0 THEN n ELSE error('row ' || n || ' is wrong') END AS line,
  strftime(instant, '{DATE}') AS at, system_id, {", ".join(map(checks.name, TEXTS))},
  {", ".join(f"coalesce({each}, '0') AS {each}" for each in TOKENS)} FROM checked
"""  # noqa: S608 - as above


def _write(connection: Connection, path: Path, _orders: dict[str, Any]) -> dict[str, Any]:
    """Write all events to one file first: DuckDB's own partitions take memory for each row."""
    target = path.parent / "written"
    copy = (
        f"COPY ({WRITTEN}) TO {duckdb_files.quoted(str(target))}"
        " (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '')"
    )
    connection.execute(copy)
    split(target, path.parent / "events")
    target.unlink()
    return {"written": True}


def split(source: Path, folder: Path) -> None:
    """Split a file into a file for each customer.

    Each line begins with the customer's number, which names the file and is removed from the line.
    """
    folder.mkdir(exist_ok=True)
    rest = b""
    with source.open("rb") as file:
        while piece := file.read(SPLIT_BYTES):
            lines, end, rest = (rest + piece).rpartition(b"\n")
            for number, found in _by_number(lines + end) if end else ():
                with (folder / number.decode()).open("ab") as target:
                    target.write(found)


def _by_number(lines: bytes) -> Iterable[tuple[bytes, bytes]]:
    number = lines.partition(b"\t")[0]
    again = b"\n" + number + b"\t"
    if lines.count(b"\n") == lines.count(again) + 1:  # one customer, as in most files
        return [(number, lines.removeprefix(again[1:]).replace(again, b"\n"))]
    found: dict[bytes, list[bytes]] = {}
    for line in lines.splitlines(keepends=True):
        number, _, rest = line.partition(b"\t")
        found.setdefault(number, []).append(rest)
    return [(number, b"".join(parts)) for number, parts in found.items()]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.load(sys.stdin)), default=date.isoformat))
