"""Queries of statements, their revisions, disputes and credits.

statement(id), statement_of(agreement, month)   one row
listed(…), newest(…)                            by month, the newest first, with newest figures
revisions(id), revision_numbered(…)             figures of a closed month
disputes_of(…), dispute(id)                     disputes of a statement
entries(id)                                     the ledger of credits
affected(first, last), due_here()               closed months that late changes touch
last_closed_month()                             read by agreements
minutes_needed_since(), has_minutes(s)          which minutes are still needed, and still stored
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select

from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.data.monthly_partitions import utc_month
from governance.kernel.months import Month
from governance.kernel.pages.rendering import Keyset, keyset
from governance.kernel.work.background_work import UNDER_WAY, Run, run_of
from governance.kernel.work.jobs import WorkItem
from governance.operations.agreements.models import Agreement
from governance.operations.measurements import partitions, retention
from governance.publishing.statements.models import (
    CreditEntry,
    Dispute,
    Statement,
    StatementRevision,
)

NO_STATEMENT = "statement"


@dataclass(frozen=True, slots=True)
class ListedStatement:
    """A row of the list: a statement, its agreement, its newest figures, and its open disputes."""

    statement: Statement
    agreement: Agreement
    revision: StatementRevision | None
    open_disputes: int
    work: WorkItem | None


def statement(statement_id: UUID, *, lock: bool = False) -> Statement:
    """Return the statement. Raises NotFound for any other tenant's."""
    return find(Statement, statement_id, what=NO_STATEMENT, lock=lock)


def run(statement_id: UUID) -> Run[Statement]:
    """Return the statement with the work on it."""
    return run_of(statement(statement_id))


def statement_of(agreement_id: UUID, month: Month) -> Statement | None:
    query = select(Statement).where(
        Statement.agreement_id == agreement_id, Statement.month == str(month)
    )
    return session().scalars(query).one_or_none()


def months_with_statement(agreement_ids: Collection[UUID]) -> set[tuple[UUID, str]]:
    """Return (agreement, month) of each statement of these agreements, in one statement."""
    if not agreement_ids:
        return set()
    query = select(Statement.agreement_id, Statement.month).where(
        Statement.agreement_id.in_(set(agreement_ids))
    )
    return {(row.agreement_id, row.month) for row in session().execute(query)}


def listed(*, after: str | None = None, size: int = 24) -> Keyset:
    """Return one page of statements, the newest month first, in two statements."""
    return _with_figures(
        keyset(_listed(), Statement.month, Statement.id, after=after, size=size, descending=True)
    )


def newest(limit: int = 3) -> list[ListedStatement]:
    """List the newest statements of the acting tenant."""
    query = _listed().order_by(Statement.month.desc(), Statement.id.desc()).limit(limit)
    return [ListedStatement(*row) for row in session().execute(query)]


def _listed() -> Select[Any]:
    opened = (
        select(func.count())
        .where(Dispute.statement_id == Statement.id, Dispute.state == "open")
        .correlate(Statement)
        .scalar_subquery()
    )
    return (
        select(Statement, Agreement, StatementRevision, opened, WorkItem)
        .join(Agreement, Agreement.id == Statement.agreement_id)
        .outerjoin(
            StatementRevision,
            and_(
                StatementRevision.statement_id == Statement.id,
                StatementRevision.number == Statement.revision,
            ),
        )
        .outerjoin(WorkItem, WorkItem.id == Statement.work_item_id)
    )


def _with_figures(found: Keyset) -> Keyset:
    return Keyset([ListedStatement(*row) for row in found.rows], found.next, found.size)


def agreement_of(found: Statement) -> Agreement:
    return find(Agreement, found.agreement_id, what="agreement")


def revisions(statement_id: UUID) -> Sequence[StatementRevision]:
    """List all revisions, the newest first."""
    query = select(StatementRevision).where(StatementRevision.statement_id == statement_id)
    return session().scalars(query.order_by(StatementRevision.number.desc())).all()


def revision_numbered(statement_id: UUID, number: int) -> StatementRevision | None:
    query = select(StatementRevision).where(
        StatementRevision.statement_id == statement_id, StatementRevision.number == number
    )
    return session().scalars(query).one_or_none()


def affected(first: datetime, last: datetime) -> Sequence[Statement]:
    """Lock and return the statements whose months have minutes from `first` to `last`."""
    query = select(Statement).where(Statement.ends_at > first, Statement.starts_at <= last)
    return session().scalars(query.order_by(Statement.id).with_for_update()).all()


def due_here() -> Sequence[Statement]:
    """List the acting tenant's statements that need work and have none under way."""
    query = (
        select(Statement)
        .outerjoin(WorkItem, WorkItem.id == Statement.work_item_id)
        .where(
            or_(Statement.revision == 0, Statement.marks > Statement.marks_seen),
            or_(WorkItem.id.is_(None), WorkItem.state.not_in(UNDER_WAY)),
        )
    )
    return session().scalars(query.order_by(Statement.month, Statement.id)).all()


def minutes_needed_since() -> Month | None:
    """Return the earliest month of UTC whose minutes a statement still needs. None: none does.

    A statement needs them while its month isn't closed, a revision is due, or a dispute has no
    answer.
    """
    disputed = select(Dispute.id).where(
        Dispute.statement_id == Statement.id, Dispute.state == "open"
    )
    earliest = session().scalar(
        select(func.min(Statement.starts_at)).where(
            or_(
                Statement.revision == 0,
                Statement.marks > Statement.marks_seen,
                disputed.correlate(Statement).exists(),
            )
        )
    )
    return utc_month(earliest) if earliest is not None else None


def has_minutes(found: Statement) -> bool:
    """Return whether the month's minutes are still stored: it is recent, or not dropped yet."""
    first = utc_month(found.starts_at)
    recent = utc_month(clock.now()).plus(1 - retention.kept_months())
    return first >= recent or first in partitions.MINUTES.existing()


def last_closed_month() -> Month | None:
    """Return the newest month with a statement in the acting tenant."""
    found = session().scalar(select(func.max(Statement.month)))
    return Month.parse(found) if found else None


def dispute(dispute_id: UUID, *, lock: bool = False) -> Dispute:
    return find(Dispute, dispute_id, what="dispute", lock=lock)


def disputes_of(statement_id: UUID) -> Sequence[Dispute]:
    """List the disputes of a statement: open ones first, then the newest."""
    query = select(Dispute).where(Dispute.statement_id == statement_id)
    order = ((Dispute.state != "open").asc(), Dispute.number.desc())
    return session().scalars(query.order_by(*order)).all()


def next_dispute_number() -> int:
    return (session().scalar(select(func.max(Dispute.number))) or 0) + 1


def entries(statement_id: UUID) -> Sequence[CreditEntry]:
    """List the entries of a statement's credit, the oldest first."""
    query = select(CreditEntry).where(CreditEntry.statement_id == statement_id)
    order = (CreditEntry.created_at, CreditEntry.revision.nulls_last(), CreditEntry.id)
    return session().scalars(query.order_by(*order)).all()
