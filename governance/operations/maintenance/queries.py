"""Reads of exclusions: those that hide minutes of a span, upcoming ones, and single ones.

exclusions(span, …)     occurrences that attainment leaves out, with their exclusions
upcoming(limit)         the current and next occurrences
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select

from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.models import Approval
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.intervals import Span
from governance.kernel.pages.rendering import Keyset, keyset
from governance.operations.maintenance.models import Exclusion, MaintenanceFeed
from governance.operations.maintenance.recurrence import Recurrence, occurrences_in

LATE, WITHDRAWAL = "exclusion", "exclusion_withdrawal"  # Kinds of approval
LOOK_AHEAD = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class ExclusionSpan:
    """One occurrence of an exclusion. `span` is complete, even outside the searched span."""

    span: Span
    exclusion: Exclusion

    @property
    def notice(self) -> timedelta:
        """Time from the announcement to the start; negative for after the fact."""
        return self.span.start - self.exclusion.announced_at

    def is_noticed(self, hours: int) -> bool:
        """Return True unless it is maintenance announced less than `hours` before; 0 allows all."""
        return (
            self.exclusion.category != "maintenance"
            or hours <= 0
            or self.notice >= timedelta(hours=hours)
        )


def series_of(exclusion: Exclusion) -> Recurrence:
    return Recurrence(
        Span(exclusion.starts_at, exclusion.ends_at),
        exclusion.time_zone,
        exclusion.rrule,
        exclusion.repeat_until,
    )


def exclusions(
    span: Span,
    *,
    system_id: UUID | None = None,
    indicator_id: UUID | None = None,
    notice_hours: int = 0,
    categories: Collection[str] | None = None,
) -> list[ExclusionSpan]:
    """Return the approved occurrences with a minute in `span`, by start. Runs one statement.

    They are those of this system and indicator and those of every system. Maintenance announced
    less than `notice_hours` before its start doesn't count; 0 requires no notice. `categories`
    limits them, for an agreement that excludes only some categories.
    """
    return expand(
        approved_in(span, categories),
        span,
        system_id=system_id,
        indicator_id=indicator_id,
        notice_hours=notice_hours,
    )


def approved_in(span: Span, categories: Collection[str] | None = None) -> Sequence[Exclusion]:
    """Return the tenant's approved exclusions that may have a minute in `span`.

    Runs one statement, which many objectives can share with `expand`.
    """
    query = select(Exclusion).where(
        Exclusion.state == "approved",
        Exclusion.starts_at < span.end,
        Exclusion.last_end > span.start,
    )
    if categories is not None:
        query = query.where(Exclusion.category.in_(categories))
    return session().scalars(query.order_by(Exclusion.starts_at, Exclusion.id)).all()


def expand(
    found: Iterable[Exclusion],
    span: Span,
    *,
    system_id: UUID | None = None,
    indicator_id: UUID | None = None,
    notice_hours: int = 0,
    categories: Collection[str] | None = None,
) -> list[ExclusionSpan]:
    """Return the occurrences in `span` for this system and indicator. Runs no statement."""
    every = [
        ExclusionSpan(each, exclusion)
        for exclusion in found
        if exclusion.system_id in {None, system_id}
        and exclusion.indicator_id in {None, indicator_id}
        and (categories is None or exclusion.category in categories)
        for each in occurrences_in(series_of(exclusion), span)
    ]
    noticed = [each for each in every if each.is_noticed(notice_hours)]
    return sorted(noticed, key=lambda each: (each.span, each.exclusion.number))


def upcoming(limit: int = 10, *, visible_only: bool = False) -> list[ExclusionSpan]:
    """Return the current and next approved occurrences of maintenance."""
    now = clock.now()
    span = Span(now, now + LOOK_AHEAD)
    found = [
        each
        for each in approved_in(span, {"maintenance"})
        if each.is_customer_visible or not visible_only
    ]
    every: list[ExclusionSpan] = []
    for exclusion in found:
        coming = islice(occurrences_in(series_of(exclusion), span), limit)
        every += [ExclusionSpan(each, exclusion) for each in coming]
    return sorted(every, key=lambda each: (each.span, each.exclusion.number))[:limit]


# ---- one exclusion, and lists


def exclusion(exclusion_id: UUID, *, lock: bool = False) -> Exclusion:
    return find(Exclusion, exclusion_id, what="exclusion", lock=lock)


def exists(exclusion_id: UUID) -> bool:
    query = select(Exclusion.id).where(Exclusion.id == exclusion_id)
    return session().scalar(query) is not None


def open_request(found: Exclusion) -> Approval | None:
    """Return the open request to approve or withdraw it."""
    for kind in (LATE, WITHDRAWAL):
        request = approvals.open_approval(kind, found.id)
        if request is not None and approvals.is_open(request):
            return request
    return None


def open_withdrawals(exclusion_ids: Collection[UUID]) -> set[UUID]:
    """Return those whose withdrawal awaits approval. Runs one statement."""
    found = approvals.latest(WITHDRAWAL, exclusion_ids)
    return {target for target, each in found.items() if approvals.is_open(each)}


def count_of_coming() -> Select[int]:
    """Select the number of current and coming approved exclusions, for the tab's note."""
    return select(func.count()).where(
        Exclusion.state == "approved", Exclusion.last_end > clock.now()
    )


def next_number() -> int:
    return (session().scalar(select(func.max(Exclusion.number))) or 0) + 1


def page_of(
    wanted: Mapping[str, str],
    *,
    sort: str = "-starts",
    after: str | None = None,
    size: int = 50,
) -> Keyset:
    """Return a page of exclusions by start. `wanted` has q, state, category and system."""
    columns, descending = (Exclusion.starts_at, Exclusion.id), sort.startswith("-")
    return keyset(_filtered(wanted), *columns, after=after, size=size, descending=descending)


def _filtered(wanted: Mapping[str, str]) -> Select[Any]:
    query = select(Exclusion)
    state, now = wanted.get("state"), clock.now()
    if state == "coming":
        query = query.where(Exclusion.state == "approved", Exclusion.last_end > now)
    elif state == "past":
        query = query.where(Exclusion.state == "approved", Exclusion.last_end <= now)
    elif state:
        query = query.where(Exclusion.state == state)
    if "category" in wanted:
        query = query.where(Exclusion.category == wanted["category"])
    if "system" in wanted:
        query = query.where(Exclusion.system_id == _uuid(wanted["system"]))
    if "q" in wanted:
        columns = (Exclusion.title, Exclusion.reason)
        query = query.where(or_(*(c.icontains(wanted["q"], autoescape=True) for c in columns)))
    return query


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def shown_in(span: Span) -> list[ExclusionSpan]:
    """Return the occurrences of a month's calendar: approved ones and those awaiting approval."""
    query = select(Exclusion).where(
        and_(Exclusion.starts_at < span.end, Exclusion.last_end > span.start),
        Exclusion.state.in_(("approved", "proposed")),
    )
    found = session().scalars(query.order_by(Exclusion.starts_at, Exclusion.id)).all()
    every = [
        ExclusionSpan(each, exclusion)
        for exclusion in found
        for each in occurrences_in(series_of(exclusion), span)
    ]
    return sorted(every, key=lambda each: (each.span, each.exclusion.number))


def visible(since: datetime) -> Sequence[Exclusion]:
    """Return the exclusions of the feed: approved and withdrawn ones that end after `since`."""
    query = select(Exclusion).where(
        Exclusion.is_customer_visible,
        Exclusion.state.in_(("approved", "withdrawn")),
        Exclusion.last_end > since,
    )
    return session().scalars(query.order_by(Exclusion.starts_at, Exclusion.id).limit(1000)).all()


def feed() -> MaintenanceFeed | None:
    return session().scalars(select(MaintenanceFeed)).one_or_none()
