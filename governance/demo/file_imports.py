"""Imports as the operator's finance does them: upload a file, preview it, apply it.

import_file(kind, name, content)     any file
import_table(kind, name, lines)      a CSV file of a kind that declares its columns
"""

import io
from collections.abc import Sequence

from governance.economics.imports import actions, queries
from governance.economics.imports.kinds import ImportKind
from governance.foundation.people.jobs import actor_of
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.work import jobs


def import_table(kind: ImportKind, name: str, lines: Sequence[str]) -> None:
    """Import these lines below the header of the kind."""
    head = ",".join(column.name for column in kind.columns)
    import_file(kind, name, "\n".join((head, *lines, "")).encode())


def import_file(kind: ImportKind, name: str, content: bytes) -> None:
    """Import the file as the acting person. Raises ValueError if the file has errors."""
    with transaction():
        import_id = actions.upload(kind, name, io.BytesIO(content)).id
    jobs.drain(actor_of, of=current.actor().tenant_id)
    with transaction():
        row = queries.file_import(import_id)
        if not row.can_be_applied:
            raise ValueError(f"the demo's {name} is wrong: {row.problem} {row.rejected[:3]}")
        actions.apply(row)
    jobs.drain(actor_of, of=current.actor().tenant_id)
    with transaction(read_only=True):
        row = queries.file_import(import_id)
        if row.state != "applied":
            raise ValueError(f"the demo's {name} wasn't applied: {row.state}, {row.problem}")
