"""A number for each tenant that moves with every change that processes hold in memory; who listens
is told at the commit.

Written in the transaction of the change, so that nobody hears of what was rolled back. Ids and
numbers only, no content of a tenant, hence no row-level security: a worker asks for all tenants
that it holds in one statement.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import BigInteger, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel import clock, current
from governance.kernel.db import Model, notify, session

CHANNEL, LISTEN = "marks", "LISTEN marks"
OVER_ALL = UUID(int=0)  # the operator's layer, over all tenants
NAMES = UUID(int=1)  # what people are called, in every tenant that knows them


class Mark(Model):
    """How often what a tenant's products ask for has changed; `id` is the tenant's."""

    __tablename__ = "marks"

    number: Mapped[int] = mapped_column(BigInteger)


def move() -> int:
    """Say, in the transaction of a change, that the acting tenant's answers have changed; the new
    number.
    """
    tenant_id = current.actor().tenant_id
    number = _moved(tenant_id)
    notify(CHANNEL, str(tenant_id))
    return number


def _moved(whose: UUID) -> int:
    write = insert(Mark).values(id=whose, number=1, created_at=clock.now())
    write = write.on_conflict_do_update(index_elements=[Mark.id], set_={"number": Mark.number + 1})
    return int(session().scalar(write.returning(Mark.number)) or 0)


def move_all() -> None:
    """The same for what stands over all tenants, when the operator changes it."""
    _moved(OVER_ALL)
    notify(CHANNEL, str(OVER_ALL))


def renamed() -> None:
    """The same for the name of a person, which more tenants show than the one whose log tells;
    nobody listens for it.
    """
    _moved(NAMES)


def mark() -> int:
    """The acting tenant's number; 0 before its first change."""
    return session().scalar(select(Mark.number).where(Mark.id == current.actor().tenant_id)) or 0


def numbers(of: Collection[UUID]) -> Mapping[UUID, int]:
    """The numbers of these tenants, in one statement."""
    rows = session().execute(select(Mark.id, Mark.number).where(Mark.id.in_(of)))
    return {row.id: row.number for row in rows}
