"""Reading of files by DuckDB within limits.

It runs in a child process (kernel/files/sandbox.py) with one thread, limited memory, no network, no
extensions, and access to one folder only.

    with duckdb_files.limited(folder) as connection:
        source = duckdb_files.csv_source(path, header, ",")      for FROM

Only modules that run as such a child import this one.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY = "768MB"
MAX_LINE_BYTES = 1024 * 1024
UNREADABLE = (duckdb.Error,)


@contextmanager
def limited(folder: Path) -> Generator[duckdb.DuckDBPyConnection]:
    """Open an in-memory database that can read and write only inside `folder`."""
    with duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": MEMORY,
            "temp_directory": str(folder / "duckdb"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        }
    ) as connection:
        for setting in (
            "TimeZone = 'UTC'",
            f"allowed_directories = [{quoted(str(folder))}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            statement = f"SET {setting}"
            connection.execute(statement)
        yield connection


def quoted(text: str) -> str:
    """Return a text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def csv_source(path: Path, header: Sequence[str], delimiter: str = ",") -> str:
    """Return SQL for a CSV file with `header` as its first line, as a table of texts.

    An empty cell is NULL. A line with another number of cells is skipped and listed in
    reject_errors.
    """
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in header)
    return (
        f"read_csv({quoted(str(path))}, auto_detect = false, header = true,"
        f" columns = {{{columns}}}, delim = {quoted(delimiter)}, quote = '\"', escape = '\"',"
        " new_line = '\\n', strict_mode = true, store_rejects = true, rejects_limit = 0,"
        f" max_line_size = {MAX_LINE_BYTES})"
    )


def line_source(path: Path) -> str:
    """Return SQL for a text file as a table with one column `line`; an empty line is NULL."""
    return (
        f"read_csv({quoted(str(path))}, auto_detect = false, header = false,"
        " columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '', escape = '',"
        f" new_line = '\\n', max_line_size = {MAX_LINE_BYTES})"
    )


def parquet_source(path: Path) -> str:
    """Return SQL for a Parquet file."""
    return f"read_parquet({quoted(str(path))})"


def parquet_size(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[int, list[str]]:
    """Return the number of rows and the column names that a Parquet file declares."""
    counted = f"SELECT num_rows FROM parquet_file_metadata({quoted(str(path))})"  # noqa: S608
    rows = connection.execute(counted).fetchone()
    described = f"DESCRIBE FROM {parquet_source(path)}"
    schema = connection.execute(described).fetchall()
    return (rows[0] if rows else 0), [row[0] for row in schema]
