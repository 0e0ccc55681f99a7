"""Exceptions, findings and populations in search. Auditors find those of their controls."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from governance.assurance.testing.models import Finding, Population, TestException
from governance.kernel.manifest import IndexedSearch, SearchText
from governance.kernel.safety.visibility_scope import seen_by_control


def _text_of_exception(row: Any) -> SearchText:
    return SearchText(row.ref, row.says)


def _text_of_finding(row: Any) -> SearchText:
    return SearchText(row.ref, row.title, parent=row.exception_id)


def _text_of_population(row: Any) -> SearchText:
    return SearchText("", row.title)


def _exceptions_seen() -> Select[UUID] | None:
    return seen_by_control(TestException.id, TestException.control_id)


def _findings_seen() -> Select[UUID] | None:
    seen = _exceptions_seen()
    return None if seen is None else select(Finding.id).where(Finding.exception_id.in_(seen))


def _populations_seen() -> Select[UUID] | None:
    return seen_by_control(Population.id, Population.control_id)


exceptions = IndexedSearch(
    kind="exception",
    model=TestException,
    reads=("ref", "says"),
    text=_text_of_exception,
    seen=_exceptions_seen,
    endpoint="testing.exception",
    address=lambda row_id, _ref, _parent: {"exception_id": row_id},
)
findings = IndexedSearch(
    kind="finding",
    model=Finding,
    reads=("ref", "title", "exception_id"),
    text=_text_of_finding,
    seen=_findings_seen,
    endpoint="testing.exception",
    address=lambda _row_id, _ref, parent: {"exception_id": parent},
)
populations = IndexedSearch(
    kind="population",
    model=Population,
    reads=("title",),
    text=_text_of_population,
    seen=_populations_seen,
    endpoint="testing.population",
    address=lambda row_id, _ref, _parent: {"population_id": row_id},
)
