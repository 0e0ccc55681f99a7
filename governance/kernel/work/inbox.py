"""Sources of the inbox: what needs a person, declared by the feature that owns the rows.

    InboxSource              one kind of item: who gets it, which rows, how it reads, its page
    InboxDone                a person's recently completed or decided items
    item_select(model, …)    the select of a source, with the columns that all of them share
    end_of(day)              the instant until which a day isn't over
    parameters()             the values of ME, NOW … for the acting person

A source's select names the acting person and the moment by the parameters ME, ROLE, NOW, TODAY and
TENANT, never by value: `publishing/inbox` joins the selects of all sources by UNION ALL once per
role, and reads the list and its counts in one statement. Which sources a role has follows from
their permissions alone. CONTROLS and IN_WINDOW are the controls in the scope of an auditor's
engagement: NULL is all of them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Date,
    DateTime,
    Interval,
    Select,
    String,
    Uuid,
    bindparam,
    cast,
    func,
    literal,
    null,
    select,
)

from governance.kernel import clock, current
from governance.kernel.safety.access import Permission
from governance.kernel.safety.visibility_scope import scope
from governance.kernel.work.bulk import BulkItem

ME = bindparam("inbox_me", type_=Uuid())
TENANT = bindparam("inbox_tenant", type_=Uuid())
NOW = bindparam("inbox_now", type_=DateTime(timezone=True))
TODAY = bindparam("inbox_today", type_=Date())
ROLE = bindparam("inbox_role", type_=String())
CONTROLS = bindparam("inbox_controls", type_=ARRAY(Uuid()))
IN_WINDOW = bindparam("inbox_in_window", type_=Boolean())
DONE_SINCE = bindparam("inbox_done_since", type_=DateTime(timezone=True))
DONE_FOR = timedelta(days=90)  # The time for which completed items are listed.
MAX_TEXT_LENGTH = 90
ALMOST_A_DAY = timedelta(days=1) - timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class InboxGroup:
    """A heading of the inbox. `note` is shown next to its count."""

    key: str
    title: str
    note: str = ""


# The most urgent group first.
GROUPS = (
    InboxGroup("incidents", "Incidents and alerts"),
    InboxGroup("evidence", "Evidence and requests"),
    InboxGroup("approvals", "Approvals", "decide each one on its page"),
    InboxGroup("reviews", "Reviews"),
)


@dataclass(frozen=True)
class InboxRow:
    """A row that a source's select found.

    `who` is the person's name for the reader, None if no person did it: Meridian did.
    """

    source: str
    id: UUID
    parent: UUID | None
    place: str
    about: str
    who: str | None
    detail: str
    since: datetime
    due: datetime | None
    is_snoozed: bool = False

    @property
    def key(self) -> str:
        """The name of the item in addresses and forms."""
        return f"{self.source}.{self.id}"

    @cached_property
    def due_on(self) -> date | None:
        return self.due.astimezone(UTC).date() if self.due else None

    @property
    def is_late(self) -> bool:
        return self.due is not None and self.due < clock.now()


@dataclass(frozen=True, slots=True)
class InboxAssignment:
    """The assignment of several rows to another owner, for people with `needs`.

    `find` locks them on request, and leaves their addresses to the inbox. `undoable` are the kinds
    of undo steps that `apply` leaves.
    """

    needs: Permission
    find: Callable[[Collection[UUID], bool], Sequence[BulkItem]]
    apply: Callable[[Collection[UUID], UUID | None], object]
    undoable: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxDone:
    """The items that the acting person completed or decided since DONE_SINCE.

    They have the columns of `item_select`. `about` is the object, `detail` what they did ("You
    accepted a version of evidence"), `since` when. Each row has an id of its own; `parent` and
    `place` are for its address.
    """

    name: str
    icon: str
    select: Callable[[], Select[Any]]
    endpoint: str
    values: Callable[[InboxRow], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InboxSource:
    """One kind of item.

    `title`, `detail` and `why` word a row; `values` are those of its address at `endpoint`. `more`
    is a text by the column of the ids, which follows the detail of the rows that are shown: it
    would take too long to read for each of thousands.

    The ids of its rows are those of one table's rows, and a row is in one source of a person at a
    time. `why` completes "You get this because …".
    """

    name: str
    group: str
    needs: Permission
    select: Callable[[], Select[Any]]
    icon: str
    verb: str
    title: Callable[[InboxRow], str]
    detail: Callable[[InboxRow], str]
    why: str
    endpoint: str
    values: Callable[[InboxRow], Mapping[str, Any]]
    more: Callable[[Any], Any] | None = None
    assign: InboxAssignment | None = None  # None: nobody can assign its rows from the inbox.
    done: tuple[InboxDone, ...] = ()  # Sources of completed items; sources may share one.
    next_due: Callable[[], Select[Any]] | None = (
        None  # The time of the next item, for an empty inbox.
    )

    @property
    def rank(self) -> int:
        return next(place for place, group in enumerate(GROUPS) if group.key == self.group)


def item_select(
    model: Any,
    *,
    about: Any,
    since: Any,
    row_id: Any = None,
    parent: Any = None,
    place: Any = None,
    who: Any = None,
    detail: Any = None,
    due: Any = None,
) -> Select[Any]:
    """Return the select of a source over a tenanted class; the source adds joins and conditions.

    `about` and `detail` are texts, `who` the id of a person, or a text that names none, `since` and
    `due` instants (`end_of` makes one of a day).
    """
    return (
        select(
            (model.id if row_id is None else row_id).label("id"),
            cast(null() if parent is None else parent, Uuid()).label("parent"),
            _text(place).label("place"),
            _text(about).label("about"),
            cast(null() if who is None else who, String()).label("who"),
            _text(detail).label("detail"),
            cast(since, DateTime(timezone=True)).label("since"),
            cast(null() if due is None else due, DateTime(timezone=True)).label("due"),
        )
        .select_from(model)
        .where(model.tenant_id == TENANT)
    )


def _text(column: Any) -> Any:
    return func.coalesce(cast(literal("") if column is None else column, String()), "")


def end_of(day: Any) -> Any:
    """Return the last second of a day (a column of dates), in UTC."""
    return func.timezone(
        "UTC",
        cast(day, DateTime()) + literal(ALMOST_A_DAY, Interval()),
        type_=DateTime(timezone=True),
    )


def parameters() -> dict[str, Any]:
    """Return the parameters of the acting person, now."""
    who, now = current.actor(), clock.now()
    auditor_scope = scope() if who.role == "auditor" else None
    controls = (
        None
        if auditor_scope is None or auditor_scope.controls is None
        else list(auditor_scope.controls)
    )
    return {
        "inbox_me": who.person_id or UUID(int=0),
        "inbox_role": who.role,
        "inbox_tenant": who.tenant_id,
        "inbox_now": now,
        "inbox_today": now.date(),
        "inbox_done_since": now - DONE_FOR,
        "inbox_controls": controls,
        "inbox_in_window": auditor_scope is None or auditor_scope.open,
    }


def requested(row: InboxRow) -> str:
    """Return the second line of an approval: who requested it, and why."""
    return f"Requested by {row.who or 'Meridian'}" + (
        f": {shortened(row.detail)}" if row.detail else ""
    )


def shortened(text: str, length: int = MAX_TEXT_LENGTH) -> str:
    """Return at most `length` characters, cut between words."""
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0] + "…"


def lower_first(title: str) -> str:
    """Return a title for use inside a sentence; an abbreviation doesn't change."""
    # The second letter shows whether it is an abbreviation.
    return title if len(title) < 2 or title[1].isupper() else title[0].lower() + title[1:]  # noqa: PLR2004
