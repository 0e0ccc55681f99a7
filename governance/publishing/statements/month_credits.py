"""The credits that the acting tenant's closed statements of a month owe it, for unit economics."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import select

from governance.economics.reviews.ports import StatementCredit
from governance.kernel.data.db import session
from governance.kernel.months import Month
from governance.operations.agreements.money import DIGITS
from governance.publishing.statements.models import Statement, StatementRevision


def month_credits(month: Month) -> Sequence[StatementCredit]:
    """Return the credit of each statement, by its newest revision. Empty before the first close."""
    query = (
        select(StatementRevision.credit, StatementRevision.currency)
        .join(
            Statement,
            (Statement.tenant_id == StatementRevision.tenant_id)
            & (Statement.id == StatementRevision.statement_id)
            & (Statement.revision == StatementRevision.number),
        )
        .where(Statement.month == str(month))
        .order_by(Statement.id)
    )
    return [
        StatementCredit(Decimal(credit).scaleb(-DIGITS.get(currency, 2)), currency)
        for credit, currency in session().execute(query)
    ]
