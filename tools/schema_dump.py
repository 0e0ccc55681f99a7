"""Schemas as pg_dump writes them, and their differences: the proof of consolidated migrations."""

import re
from pathlib import Path

from governance.kernel.data.embedded import Embedded, call

HEADER = re.compile(r"^-- Name: (?P<name>.*?); Type: (?P<type>[A-Z ]+); Schema: .*$", re.MULTILINE)
# The running application creates a partitioned table's months, and the instants that bound them.
MONTH = re.compile(r"(?<=_)\d{4}_\d{2}(?=\b|_)")
BOUNDS = re.compile(r"FOR VALUES FROM \('[^']*'\) TO \('[^']*'\)")
NOISE = re.compile(r"^(--.*|\\.*|)$\n", re.MULTILINE)  # Comments, psql's own commands, empty lines.


def dump(folder: Path, server: Embedded, database: str, *options: str) -> str:
    """Return the pg_dump output of a database of the embedded server in `folder`."""
    address = server.super_uri.replace("/postgres?", f"/{database}?")
    return call(folder, "pg_dump", "--dbname", address, *options)


def schema(folder: Path, server: Embedded, database: str) -> dict[str, str]:
    """Return the definition of every object: "TABLE evidence" → its statements.

    Definitions cover tables with columns, types, defaults and FORCE, constraints, indexes,
    policies, grants, triggers, functions, statistics targets and comments. The order of columns
    is left out, because it only shows which migration added them.

    The months of a partitioned table count as one ("TABLE indicator_minutes_MONTH"). Which of
    them exist isn't part of the schema, but all must be alike. If one differs, its statements
    follow.
    """
    parts = HEADER.split(dump(folder, server, database, "--schema-only"))
    objects: dict[str, str] = {}
    for name, kind, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        statements = NOISE.sub("", text)
        if kind == "TABLE":
            statements = _with_sorted_columns(statements)
        key, statements = _of_any_month(f"{kind} {name}"), _of_any_month(statements)
        if statements not in (known := objects.get(key, "")):
            objects[key] = known + statements
    return objects


def _of_any_month(text: str) -> str:
    return BOUNDS.sub("FOR VALUES OF THE MONTH", MONTH.sub("MONTH", text))


def _with_sorted_columns(statements: str) -> str:
    head, columns, rest = re.split(r"(?<=\()\n|\n(?=\)[;\n])", statements, maxsplit=2)
    return "\n".join([head, *sorted(line.rstrip(",") for line in columns.split("\n")), rest])


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return a sentence with both definitions for each object that differs; [] if equal."""
    absent = "(absent)\n"
    return [
        f"{name} differs.\nbefore:\n{before.get(name, absent)}after:\n{after.get(name, absent)}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
