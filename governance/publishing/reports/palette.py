"""Reports in search; an auditor finds those in their scope."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from governance.kernel.manifest import IndexedSearch, SearchText
from governance.publishing.reports import queries
from governance.publishing.reports.models import ReportRun


def _text(row: Any) -> SearchText:
    return SearchText("", row.title)


def _seen() -> Select[UUID] | None:
    found, seen = select(ReportRun.id).where(queries.is_file_for_reader()), queries.ids_in_scope()
    return found if seen is None else found.where(ReportRun.id.in_(seen))


reports = IndexedSearch(
    kind="report",
    model=ReportRun,
    reads=("title",),
    text=_text,
    seen=_seen,
    endpoint="reports.report",
    address=lambda row_id, _ref, _parent: {"run_id": row_id},
)
