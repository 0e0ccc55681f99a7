"""What a schema is, as pg_dump writes it, and how two schemas differ: the proof behind consolidated
migrations.
"""

import re
from pathlib import Path

from governance.kernel.embedded import Embedded, call

HEADER = re.compile(r"^-- Name: (?P<name>.*?); Type: (?P<type>[A-Z ]+); Schema: .*$", re.MULTILINE)
NOISE = re.compile(r"^(--.*|\\.*|)$\n", re.MULTILINE)  # comments, psql's own commands, empty lines


def dump(folder: Path, server: Embedded, database: str, *options: str) -> str:
    """Return what pg_dump writes of a database of the embedded server in `folder`."""
    address = server.super_uri.replace("/postgres?", f"/{database}?")
    return call(folder, "pg_dump", "--dbname", address, *options)


def schema(folder: Path, server: Embedded, database: str) -> dict[str, str]:
    """Return the definition of every object:

    "TABLE evidence" → its statements.

    Tables with columns, types, defaults and FORCE, constraints, indexes, policies, grants,
    triggers, functions, statistics targets and comments. The order of columns is left out: it says
    only which migration added them.
    """
    parts = HEADER.split(dump(folder, server, database, "--schema-only"))
    objects: dict[str, str] = {}
    for name, kind, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        statements = NOISE.sub("", text)
        objects[f"{kind} {name}"] = (
            _with_sorted_columns(statements) if kind == "TABLE" else statements
        )
    return objects


def _with_sorted_columns(statements: str) -> str:
    head, columns, rest = re.split(r"(?<=\()\n|\n(?=\);)", statements, maxsplit=2)
    return "\n".join([head, *sorted(line.rstrip(",") for line in columns.split("\n")), rest])


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return one sentence with both definitions for each object that isn't the same in both
    schemas; [] if they're equal.
    """
    absent = "(absent)\n"
    return [
        f"{name} differs.\nbefore:\n{before.get(name, absent)}after:\n{after.get(name, absent)}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
