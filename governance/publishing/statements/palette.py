"""Statements that the command palette finds, by month and agreement."""

from uuid import UUID

from sqlalchemy import Select, String, func, select

from governance.kernel.manifest import contains
from governance.operations.agreements.models import Agreement
from governance.publishing.statements.models import Statement


def statements(text: str) -> Select[UUID, str, str] | None:
    """Select closed months whose name ("October 2026") or "2026-10" contains the text."""
    first = func.to_date(Statement.month, "YYYY-MM")
    name = func.to_char(first, "FMMonth YYYY").cast(String)
    title = func.concat("Statement of ", name, ", ", Agreement.name)
    pattern = contains(text)
    return (
        select(Statement.id, Statement.month, title)
        .join(Agreement, Agreement.id == Statement.agreement_id)
        .where(Statement.revision > 0, title.ilike(pattern) | Statement.month.ilike(pattern))
        .order_by(Statement.month.desc())
    )
