"""A tenant's revision: a number that grows with every change that processes keep in memory.

It is written in the transaction of the change, so nobody hears of a change that was rolled back;
listeners are notified at the commit. The table has only ids and numbers, no content of a tenant,
hence no row-level security: a worker reads the revisions of all its tenants in one statement.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import BigInteger, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel import clock, current
from governance.kernel.db import Model, notify, session

CHANNEL, LISTEN = "marks", "LISTEN marks"
OVER_ALL = UUID(int=0)  # the operator's layer, which applies to all tenants
NAMES = UUID(int=1)  # people's names, in every tenant that shows them


class TenantRevision(Model):
    """How often what processes keep of a tenant has changed; `id` is the tenant's."""

    __tablename__ = "marks"

    number: Mapped[int] = mapped_column(BigInteger)


def advance() -> int:
    """Advance the acting tenant's revision in the transaction of a change; return the new one."""
    tenant_id = current.actor().tenant_id
    number = _advance(tenant_id)
    notify(CHANNEL, str(tenant_id))
    return number


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
    """Advance people's names, which several tenants may show; nobody is notified."""
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
