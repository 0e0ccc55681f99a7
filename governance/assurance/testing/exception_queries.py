"""Queries for exceptions with their findings and retests."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import String, and_, cast, func, or_, select
from sqlalchemy import case as whichever

from governance.assurance.controls.models import Control
from governance.assurance.evidence.period_labels import period_label
from governance.assurance.testing.control_scope import control_in_scope
from governance.assurance.testing.models import (
    Finding,
    ItemResult,
    Retest,
    Sample,
    SampleItem,
    TestException,
)
from governance.assurance.testing.occurrences import Cycle
from governance.assurance.testing.sample_queries import is_latest_result
from governance.kernel.data.db import find, find_several, session
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import Keyset, keyset
from governance.kernel.safety.visibility_scope import scope


def exception_of_cycle(control_id: UUID, cycle: Cycle) -> TestException | None:
    e = TestException
    query = select(e).where(
        e.control_id == control_id, e.missed_from == cycle.first, e.missed_to == cycle.last
    )
    return session().scalars(query).one_or_none()


@dataclass(frozen=True, slots=True)
class ExceptionCase:
    """An exception with its control, item, sample, finding and latest result.

    The exception of a missed cycle has no item and no sample. `state` is "open", "answered"
    (management responded), "in repair" (it has a finding), "fixed", "closed", or "set aside" (the
    item passed in a later result).
    """

    exception: TestException
    control: Control
    item: SampleItem | None
    sample: Sample | None
    finding: Finding | None
    result: ItemResult | None
    state: str

    @property
    def what(self) -> str:
        """The name of what failed: the item, or the missed cycle, as in "Q3 2026"."""
        if self.item is not None:
            return self.item.item
        first, last = self.exception.missed_from, self.exception.missed_to
        return period_label(first, last) if first and last else ""

    @property
    def kind(self) -> str:
        return {
            "closed": "ok",
            "fixed": "info",
            "in repair": "due",
            "answered": "due",
            "set aside": "none",
        }.get(self.state, "bad")

    @property
    def word(self) -> str:
        return STATE_WORDS[self.state]


STATE_WORDS: Mapping[str, str] = {
    "open": "Open",
    "answered": "Response recorded",
    "in repair": "Being fixed",
    "fixed": "Fixed, awaiting retest",
    "closed": "Closed, retest passed",
    "set aside": "Superseded, item passed later",
}
SETTLED = ("closed", "set aside")  # No longer open.
RAISED = ("closed", "fixed", "in repair")  # With a finding.


def _state() -> Any:
    return whichever(
        (Finding.closed_at.is_not(None), "closed"),
        (Finding.remedied_at.is_not(None), "fixed"),
        (Finding.id.is_not(None), "in repair"),
        (ItemResult.outcome == "passed", "set aside"),
        (TestException.response != "", "answered"),
        else_="open",
    )


def _select_cases() -> Any:
    """Select all cases that the acting person may view."""
    return _select_joined(TestException, Control, SampleItem, Sample, Finding, ItemResult, _state())


def _select_joined(*columns: Any) -> Any:
    query = (
        select(*columns)
        .select_from(TestException)
        .join(Control, Control.id == TestException.control_id)
        .outerjoin(SampleItem, SampleItem.id == TestException.sample_item_id)
        .outerjoin(Sample, Sample.id == SampleItem.sample_id)
        .outerjoin(Finding, Finding.exception_id == TestException.id)
        .outerjoin(ItemResult, and_(ItemResult.sample_item_id == SampleItem.id, is_latest_result()))
    )
    auditor_scope = scope()
    return (
        query
        if auditor_scope is None or auditor_scope.controls is None
        else query.where(TestException.control_id.in_(auditor_scope.controls))
    )


def exceptions(
    since: date | None = None, until: date | None = None, *, control_id: UUID | None = None
) -> list[ExceptionCase]:
    """Return all exceptions found between two days, newest first, in one statement."""
    query = _select_cases()
    if since is not None:
        query = query.where(TestException.created_at >= since)
    if until is not None:
        query = query.where(TestException.created_at < until + timedelta(days=1))
    if control_id is not None:
        query = query.where(TestException.control_id == control_id)
    return [
        ExceptionCase(*row)
        for row in session().execute(
            query.order_by(TestException.created_at.desc(), TestException.id)
        )
    ]


def exceptions_page(
    filters: Mapping[str, str],
    *,
    newest_first: bool = True,
    after: str | None = None,
    size: int = 50,
) -> Keyset:
    """Return a page of cases by the day they were found. `filters` may have q and state."""
    query = _select_cases()
    for word in filters.get("q", "").split():
        text = (TestException.ref, TestException.says, Control.ref, Control.title, Finding.ref)
        query = query.where(func.concat_ws(" ", *text).icontains(word, autoescape=True))
    if "state" in filters:
        query = query.where(_state() == filters["state"])
    found = keyset(
        query,
        TestException.created_at,
        TestException.id,
        after=after,
        size=size,
        descending=newest_first,
    )
    return replace(found, rows=[ExceptionCase(*row) for row in found.rows])


def count_exceptions() -> dict[str, int]:
    """Return the number of exceptions by state."""
    return {
        row[0]: row[1]
        for row in session().execute(
            _select_joined(_state().label("state"), func.count()).group_by("state")
        )
    }


def exception_case(exception_id: UUID) -> ExceptionCase:
    row = session().execute(_select_cases().where(TestException.id == exception_id)).one_or_none()
    if row is None:
        raise NotFound("This exception doesn't exist, or you don't have access to it.")
    return ExceptionCase(*row)


def exception(exception_id: UUID, *, lock: bool = False) -> TestException:
    exception = find(TestException, exception_id, what="exception", lock=lock)
    control_in_scope(exception.control_id)
    return exception


def finding(finding_id: UUID, *, lock: bool = False) -> tuple[Finding, TestException]:
    finding = find(Finding, finding_id, what="finding", lock=lock)
    return finding, exception(finding.exception_id)


def find_findings(ids: Collection[UUID], *, lock: bool = False) -> Sequence[Finding]:
    """Return these findings by ref, if the acting person may view them."""
    found = find_several(Finding, ids, order=Finding.ref, lock=lock)
    seen = session().scalars(_select_joined(Finding.id).where(Finding.id.in_(ids))).all()
    return [finding for finding in found if finding.id in seen]


def open_exception_refs(sample_id: UUID) -> set[str]:
    """Return the refs of a sample's open exceptions. The control fails while there is one."""
    cases = [
        ExceptionCase(*row)
        for row in session().execute(_select_cases().where(Sample.id == sample_id))
    ]
    return {each.exception.ref for each in cases if each.state not in SETTLED}


def sample_id_of(exception: TestException) -> UUID | None:
    return session().scalar(
        select(SampleItem.sample_id).where(SampleItem.id == exception.sample_item_id)
    )


def exception_of_item(item_id: UUID) -> TestException | None:
    return (
        session()
        .scalars(select(TestException).where(TestException.sample_item_id == item_id))
        .one_or_none()
    )


def finding_of(exception_id: UUID) -> Finding | None:
    return (
        session().scalars(select(Finding).where(Finding.exception_id == exception_id)).one_or_none()
    )


def retests(finding_id: UUID) -> Sequence[Retest]:
    return (
        session()
        .scalars(
            select(Retest)
            .where(Retest.finding_id == finding_id)
            .order_by(Retest.created_at.desc(), Retest.id)
        )
        .all()
    )


def findings(as_of: datetime | None = None) -> list[ExceptionCase]:
    """Return all cases with a finding, open ones first, by due date.

    With `as_of`, return those that were open at that moment.
    """
    query = _select_cases().where(Finding.id.is_not(None))
    if as_of is not None:
        query = query.where(
            Finding.created_at <= as_of, or_(Finding.closed_at.is_(None), Finding.closed_at > as_of)
        )
    return [ExceptionCase(*row) for row in session().execute(query.order_by(*_urgency()))]


def findings_page(
    filters: Mapping[str, str], *, sort: str = "urgency", after: str | None = None, size: int = 50
) -> Keyset:
    """Return a page of the cases with a finding.

    `filters` may have q, state and owner (a person's id).
    """
    query = _select_cases().where(Finding.id.is_not(None))
    for word in filters.get("q", "").split():
        query = query.where(
            func.concat_ws(
                " ", Finding.ref, Finding.title, Control.ref, TestException.ref
            ).icontains(word, autoescape=True)
        )
    if "state" in filters:
        query = query.where(_state() == filters["state"])
    if "owner" in filters:
        query = query.where(cast(Finding.owner_id, String) == filters["owner"])
    columns = {"finding": (Finding.ref,), "due": (Finding.due_on, Finding.ref)}.get(
        sort.removeprefix("-"), _urgency()
    )
    found = keyset(query, *columns, after=after, size=size, descending=sort.startswith("-"))
    return replace(found, rows=[ExceptionCase(*row) for row in found.rows])


def finding_owners() -> Sequence[UUID]:
    """Return the owners of the findings that the acting person may view."""
    return (
        session()
        .scalars(_select_joined(Finding.owner_id).where(Finding.id.is_not(None)).distinct())
        .all()
    )


def _urgency() -> tuple[Any, ...]:
    return whichever((Finding.closed_at.is_(None), 0), else_=1), Finding.due_on, Finding.ref
