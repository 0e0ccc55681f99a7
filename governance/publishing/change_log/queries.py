"""Queries of the change log: the public page, its changes, and one of them.

change_log()              the tenant's change log; None before it is started
page_of(…), counts()      the list
change(id)                one change
published(…)              the changes that customers read, the newest first
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select

from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.models import Approval
from governance.kernel.data.db import find, session
from governance.kernel.pages.rendering import Keyset, sorted_page
from governance.operations.systems.models import AISystem
from governance.publishing.change_log.models import PUBLIC, ChangeLog, CustomerChange

APPROVAL = "customer_change"  # The kind of approval.
SORTS: Mapping[str, tuple[Any, ...]] = {"change": (CustomerChange.number,)}


def change_log(*, lock: bool = False) -> ChangeLog | None:
    query = select(ChangeLog)
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def change(change_id: UUID, *, lock: bool = False) -> CustomerChange:
    """Return the change with that id. Raises NotFound."""
    return find(CustomerChange, change_id, what="change", lock=lock)


def exists(change_id: UUID) -> bool:
    query = select(CustomerChange.id).where(CustomerChange.id == change_id)
    return session().scalar(query) is not None


def next_number() -> int:
    """Return the number of the next change. The caller holds the lock of the change log."""
    return (session().scalar(select(func.max(CustomerChange.number))) or 0) + 1


def drafted_causes(causes: Sequence[UUID]) -> set[UUID]:
    """Return which of these records already have a change."""
    query = select(CustomerChange.cause_id).where(CustomerChange.cause_id.in_(causes))
    return {each for each in session().scalars(query) if each is not None}


def page_of(
    wanted: Mapping[str, str], *, sort: str = "-change", after: str | None = None, size: int = 50
) -> Keyset:
    """Return one page of changes with the names of their systems.

    `wanted` has the keys q, state, kind and system.
    """
    return sorted_page(_filtered(wanted), SORTS, sort, after=after, size=size)


def _with_system() -> Select[Any]:
    query = select(CustomerChange, AISystem).outerjoin(
        AISystem, AISystem.id == CustomerChange.system_id
    )
    return cast("Select[Any]", query)


def _filtered(wanted: Mapping[str, str]) -> Select[Any]:
    c, query = CustomerChange, _with_system()
    if "state" in wanted:
        query = query.where(c.state == wanted["state"])
    if "kind" in wanted:
        query = query.where(c.kind == wanted["kind"])
    if "system" in wanted:
        query = query.where(AISystem.key == wanted["system"])
    if "q" in wanted:
        columns = (c.title, c.body, c.effect, AISystem.name)
        query = query.where(
            or_(*(each.icontains(wanted["q"], autoescape=True) for each in columns))
        )
    return query


def counts() -> dict[str, int]:
    """Count the drafts, the changes that await approval, the published ones, and all."""
    c = CustomerChange
    states = {
        each: func.count().filter(c.state == each) for each in ("draft", "requested", "published")
    }
    query = select(*states.values(), func.count()).select_from(c)
    return dict(zip((*states, "every"), session().execute(query).one(), strict=True))


def system_of(found: CustomerChange) -> AISystem | None:
    if found.system_id is None:
        return None
    return session().scalars(select(AISystem).where(AISystem.id == found.system_id)).one_or_none()


def open_request(found: CustomerChange) -> Approval | None:
    """Return the open request to publish the change."""
    return approvals.open_approval(APPROVAL, found.id)


def published(
    *, before: int | None = None, size: int
) -> Sequence[Row[CustomerChange, AISystem | None]]:
    """Return published and withdrawn changes, the newest publication first.

    `before` is the number of the last change on the previous page.
    """
    c = CustomerChange
    query = _with_system().where(c.state.in_(PUBLIC))
    if before is not None:
        last = select(c.published_at, c.number).where(c.number == before).subquery()
        query = query.where(
            or_(
                c.published_at < select(last.c.published_at).scalar_subquery(),
                (c.published_at == select(last.c.published_at).scalar_subquery())
                & (c.number < before),
            )
        )
    query = query.order_by(c.published_at.desc(), c.number.desc()).limit(size)
    return session().execute(query).all()
