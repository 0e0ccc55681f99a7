"""Search for playbooks and their runs."""

from typing import Any

from governance.assurance.playbooks.models import Playbook, PlaybookRun
from governance.kernel.manifest import IndexedSearch, SearchText


def _text(row: Any) -> SearchText | None:
    return None if row.retired_at else SearchText(row.ref, row.title, row.used_for)


def _text_of_run(row: Any) -> SearchText:
    return SearchText(row.ref, "Drill" if row.is_drill else f"Run in {row.incident_ref}")


playbooks = IndexedSearch(
    kind="playbook",
    model=Playbook,
    reads=("ref", "title", "used_for", "retired_at"),
    text=_text,
    endpoint="playbooks.playbook",
    address=lambda row_id, _ref, _parent: {"playbook_id": row_id},
)
runs = IndexedSearch(
    kind="playbook run",
    model=PlaybookRun,
    reads=("ref", "is_drill", "incident_ref"),
    text=_text_of_run,
    endpoint="playbooks.run",
    address=lambda row_id, _ref, _parent: {"playbook_run_id": row_id},
)
