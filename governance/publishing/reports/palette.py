"""Reports in search. Auditors find those in their scope, without names if they may not see them.

Readers who may see names find both files of a report: nothing narrows their search.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from governance.foundation.people.aliases import may_see_names
from governance.kernel.manifest import IndexedSearch, SearchText
from governance.publishing.reports import queries
from governance.publishing.reports.models import ReportRun


def _text(row: Any) -> SearchText:
    return SearchText("", f"{row.title}, without names" if row.without_names_of else row.title)


def _seen() -> Select[UUID] | None:
    seen = queries.ids_in_scope()
    if seen is None and may_see_names():
        return None
    found = select(ReportRun.id).where(queries.is_file_for_reader())
    return found if seen is None else found.where(ReportRun.id.in_(seen))


reports = IndexedSearch(
    kind="report",
    model=ReportRun,
    reads=("title", "without_names_of"),
    text=_text,
    seen=_seen,
    endpoint="reports.report",
    address=lambda row_id, _ref, _parent: {"run_id": row_id},
)
