"""Queries of offboardings, in the operator's tenant, and of what is left of a tenant."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Table, select

from governance.kernel.data.db import Model, find, session
from governance.kernel.work.jobs import WorkTicket
from governance.publishing.tenant_offboarding.models import TenantOffboarding

OPEN_STATES = ("requested", "waiting", "deleting")


def offboarding(offboarding_id: UUID, *, lock: bool = False) -> TenantOffboarding:
    return find(TenantOffboarding, offboarding_id, what="offboarding", lock=lock)


def newest(customer_id: UUID) -> TenantOffboarding | None:
    """Return the newest offboarding of a tenant, in any state."""
    query = select(TenantOffboarding).where(TenantOffboarding.customer_id == customer_id)
    return session().scalars(query.order_by(TenantOffboarding.created_at.desc()).limit(1)).first()


def unfinished() -> Sequence[TenantOffboarding]:
    """List offboardings that wait, are under way, or have no PDF of their certificate yet."""
    is_open = TenantOffboarding.state.in_(("waiting", "deleting"))
    no_pdf = (TenantOffboarding.state == "deleted") & TenantOffboarding.archive.is_(None)
    query = select(TenantOffboarding).where(is_open | no_pdf)
    return session().scalars(query.order_by(TenantOffboarding.created_at)).all()


def has_archive(row: TenantOffboarding) -> bool:
    """Return whether the ZIP of the certificate is there, without reading it."""
    query = select(TenantOffboarding.archive.is_not(None)).where(TenantOffboarding.id == row.id)
    return bool(session().scalar(query))


def is_under_way(row: TenantOffboarding) -> bool:
    """Return whether its work is queued or running."""
    query = select(WorkTicket.id).where(WorkTicket.id == row.work_item_id)
    return row.work_item_id is not None and session().scalar(query) is not None


def work_of(customer_id: UUID) -> Sequence[str]:
    """List the kinds of work that are queued or running in a tenant."""
    query = select(WorkTicket.kind).where(WorkTicket.for_tenant == customer_id).distinct()
    return session().scalars(query.order_by(WorkTicket.kind)).all()


def tenant_tables() -> list[Table]:
    """List every table with rows of tenants, each before the tables that its foreign keys lead to.

    The keys come first, so that what a killed run leaves can't be read. Memberships come last,
    since every person is found through them.
    """
    keys = ("data_keys", "tenant_keys", "audit_log_keys")
    every = {t.name: t for t in reversed(Model.metadata.sorted_tables) if "tenant_id" in t.columns}
    first = [every.pop(name) for name in keys]
    last = [every.pop(name) for name in ("work_items", "memberships")]
    return [*first, *every.values(), *last]
