"""A tenant's revision: a number that grows with every change that processes keep in memory.

It is written in the transaction of the change, so nobody hears of a change that was rolled back;
listeners are notified at the commit, of some changes with the new values, so that they can apply
them before they read them (docs/decisions/0121). The table has only ids and numbers, no content of
a tenant, hence no row-level security: a worker reads the revisions of all its tenants in one
statement.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel import clock, current
from governance.kernel.data.db import Model, notify, session

CHANNEL, LISTEN = "marks", "LISTEN marks"
OVER_ALL = UUID(int=0)  # The operator's layer, which applies to all tenants.
NAMES = UUID(int=1)  # Names of people, who may be members of several tenants.


class TenantRevision(Model):
    """The number of changes to what processes keep of a tenant; `id` is the tenant's."""

    __tablename__ = "marks"

    number: Mapped[int] = mapped_column(BigInteger)


def advance(news: Mapping[str, Any] | None = None) -> int:
    """Advance the acting tenant's revision in the transaction of a change; return the new one.

    `news` is what listeners apply immediately: short, and nothing confidential.
    """
    tenant_id = current.actor().tenant_id
    number = _advance(tenant_id)
    told = f" {json.dumps({**news, 'number': number}, default=str)}" if news else ""
    notify(CHANNEL, f"{tenant_id}{told}")
    return number


def told(payload: str) -> tuple[str, dict[str, Any] | None]:
    """Return the tenant of a notification and its news, whose `number` is the revision."""
    tenant_id, _, text = payload.partition(" ")
    try:
        news = json.loads(text) if text else None
    except ValueError:
        news = None
    return tenant_id, news if isinstance(news, dict) else None


def _advance(row_id: UUID) -> int:
    write = insert(TenantRevision).values(id=row_id, number=1, created_at=clock.now())
    write = write.on_conflict_do_update(
        index_elements=[TenantRevision.id], set_={"number": TenantRevision.number + 1}
    )
    return int(session().scalar(write.returning(TenantRevision.number)) or 0)


def advance_all() -> None:
    """Advance what applies to all tenants, when the operator changes it."""
    _advance(OVER_ALL)
    notify(CHANNEL, str(OVER_ALL))


def advance_names() -> None:
    """Advance the revision of people's names in the transaction that changes one."""
    _advance(NAMES)


def current_revision() -> int:
    """Return the acting tenant's revision; 0 before its first change."""
    mine = TenantRevision.id == current.actor().tenant_id
    return session().scalar(select(TenantRevision.number).where(mine)) or 0


def revisions(tenant_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Return the revisions of these tenants, read in one statement."""
    rows = session().execute(
        select(TenantRevision.id, TenantRevision.number).where(TenantRevision.id.in_(tenant_ids))
    )
    return {row.id: row.number for row in rows}
