"""The text of a certificate of deletion, shared by the writer and the verifier. Pure.

The first line distinguishes it from a checkpoint. `name value` lines follow. `keys` and `rows` are
repeated, one for each table.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TITLE = "governance certificate of deletion v1"


@dataclass(slots=True)
class Certificate:
    """The content of a certificate.

    `keys` are digests of key ids by table, `rows` counts by table.
    """

    facts: dict[str, str] = field(default_factory=dict)
    keys: dict[str, tuple[int, str]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


def written(
    facts: Mapping[str, Any], keys: Mapping[str, Mapping[str, Any]], rows: Mapping[str, int]
) -> str:
    """Return the text that is signed. Values are JSON strings, so none can begin another line."""
    lines = [TITLE]
    lines += [f"{name} {json.dumps(str(value))}" for name, value in facts.items()]
    lines += [f"keys {table} {each['count']} {each['sha256']}" for table, each in keys.items()]
    lines += [f"rows {table} {count}" for table, count in sorted(rows.items())]
    lines.append(f"total {sum(rows.values())}")
    return "\n".join(lines) + "\n"


def read(text: str) -> Certificate:
    """Read a certificate. Raises ValueError if it isn't one, or doesn't add up."""
    title, *lines = text.splitlines()
    if title != TITLE:
        raise ValueError("it isn't a certificate of deletion")
    found, total = Certificate(), -1
    for line in lines:
        name, _, rest = line.partition(" ")
        if name == "keys":
            table, count, digest = rest.split(" ")
            found.keys[table] = int(count), digest
        elif name == "rows":
            table, count = rest.split(" ")
            found.rows[table] = int(count)
        elif name == "total":
            total = int(rest)
        else:
            found.facts[name] = str(json.loads(rest))
    if total != sum(found.rows.values()):
        raise ValueError("its counts of rows don't add up")
    return found


def packed(note: str) -> str:
    """Return a checkpoint's note on one line."""
    return base64.b64encode(note.encode()).decode()


def unpacked(line: str) -> str:
    return base64.b64decode(line, validate=True).decode()
