"""Read a file by DuckDB within limits: in a child process (kernel/files/sandbox.py), one thread, a bound
of memory, no network, no extensions, and no file but those of one folder.

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
    """Open a database in memory that reads and writes in `folder` alone."""
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
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def csv_source(path: Path, header: Sequence[str], delimiter: str = ",") -> str:
    """A CSV file whose first line is `header`, as a table of texts; an empty cell is NULL.

    A line with another number of cells is left out, and listed in reject_errors.
    """
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in header)
    return (
        f"read_csv({quoted(str(path))}, auto_detect = false, header = true,"
        f" columns = {{{columns}}}, delim = {quoted(delimiter)}, quote = '\"', escape = '\"',"
        " new_line = '\\n', strict_mode = true, store_rejects = true, rejects_limit = 0,"
        f" max_line_size = {MAX_LINE_BYTES})"
    )


def line_source(path: Path) -> str:
    """A file of lines: one column `line` with the text of each; NULL where it is empty."""
    return (
        f"read_csv({quoted(str(path))}, auto_detect = false, header = false,"
        " columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '', escape = '',"
        f" new_line = '\\n', max_line_size = {MAX_LINE_BYTES})"
    )


def parquet_source(path: Path) -> str:
    """A Parquet file."""
    return f"read_parquet({quoted(str(path))})"


def parquet_size(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[int, list[str]]:
    """Return the number of rows and the names of the columns that a Parquet file declares."""
    counted = f"SELECT num_rows FROM parquet_file_metadata({quoted(str(path))})"  # noqa: S608
    rows = connection.execute(counted).fetchone()
    described = f"DESCRIBE FROM {parquet_source(path)}"
    schema = connection.execute(described).fetchall()
    return (rows[0] if rows else 0), [row[0] for row in schema]
