"""Incidents in search, by reference or title."""

from typing import Any

from governance.assurance.incidents.models import Incident
from governance.kernel.manifest import IndexedSearch, SearchText


def _text(row: Any) -> SearchText:
    return SearchText(row.ref, row.title)


incidents = IndexedSearch(
    kind="incident",
    model=Incident,
    reads=("ref", "title"),
    text=_text,
    endpoint="incidents.incident",
    address=lambda row_id, _ref, _parent: {"incident_id": row_id},
)
